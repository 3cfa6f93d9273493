"""The gate on the network: knows its nodes by address and by key, one question per connection."""

from __future__ import annotations

import socketserver
from dataclasses import dataclass

from .gate import Gate, Log
from .message import MAXIMUM_LINE_BYTES, SERVING, GateMessageError, decode_question, encode_answer, new_nonce

# A node asks at once; whoever connects and says nothing is not one.
_QUESTION_SECONDS = 3.0
_WATCH_SECONDS = 0.1


@dataclass(frozen=True)
class Caller:
    """Who may ask: addresses of the nodes, and the key that they share with this gate."""

    addresses: frozenset[str]
    key: bytes


class GateServer(socketserver.ThreadingTCPServer):
    """Serves until the process ends."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], gate: Gate, caller: Caller, log: Log) -> None:
        self.gate, self.caller, self.log = gate, caller, log
        super().__init__(address, _Conversation)

    def run(self) -> None:
        """Serve; the hold is watched in between."""
        self.serve_forever(_WATCH_SECONDS)

    def service_actions(self) -> None:
        self.gate.watch()

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether a connection comes from a node."""
        return isinstance(client_address, tuple) and client_address[0] in self.caller.addresses


class _Conversation(socketserver.StreamRequestHandler):
    timeout = _QUESTION_SECONDS
    server: GateServer

    def handle(self) -> None:
        caller, nonce = self.server.caller, new_nonce()
        try:
            self.wfile.write(nonce + b"\n")
            question = decode_question(self.rfile.readline(MAXIMUM_LINE_BYTES), caller.key, nonce)
            answer = self.server.gate.answer(question)
            if answer.reason != SERVING:
                self.server.log(f"{self.client_address[0]} {question.verb} term {question.term}: {answer.reason}")
            self.wfile.write(encode_answer(answer, caller.key, nonce))
        except GateMessageError as error:
            self.server.log(f"{self.client_address[0]}: {error}")
        except OSError:
            # The node has given up waiting; what it asked for has been done, and it will ask again.
            return
