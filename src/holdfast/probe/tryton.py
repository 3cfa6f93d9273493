"""Tryton's JSON-RPC as a user's client speaks it: one call, one connection, one answer.

A session outlives the server that gave it, because it is kept in the database; where the ERP no longer knows it, the user
logs in again, as a person would.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from typing import Any

from holdfast.probe.attempts import NoAnswer, Refused

#: A request that was taken over by a dead machine: after a second of silence its successor is asked, which ends it.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3), (socket.TCP_USER_TIMEOUT, 3000))
#: Errors that Tryton raises before it commits anything (trytond.exceptions).
REFUSALS = ("UserError", "UserWarning", "ConcurrencyException")
UNAUTHORIZED = 401


class Unreachable(Exception):
    """No connection: the ERP does not know of this request."""


class LoggedOut(Exception):
    """The ERP does not know this session any more; nothing was done."""


class Connection(http.client.HTTPConnection):
    """One request, one connection, deadlines for opening it and for the answer."""

    def __init__(self, server: dict[str, Any], connect_seconds: float, answer_seconds: float) -> None:
        super().__init__(server["address"], server["port"], timeout=connect_seconds)
        self.answer_seconds = answer_seconds

    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            self.sock.setsockopt(socket.IPPROTO_TCP, option, value)
        self.sock.settimeout(self.answer_seconds)


class Erp:
    """One user's way to one application server."""

    def __init__(self, config: dict[str, Any], server: dict[str, Any]) -> None:
        self.config, self.server = config, server
        with open(config["account_file"]) as file:  # noqa: PTH123 - one file without pathlib's start-up cost
            self.account = json.load(file)
        self.session = ""
        self.context: dict[str, Any] = {}

    def call(self, method: str, *params: Any) -> Any:
        """The result of a method; logs in first where that is needed."""
        if not self.session:
            self._log_in()
        try:
            return self._post(method, [*params, self.context], self.session)
        except LoggedOut:
            self.session = ""
            raise

    def _log_in(self) -> None:
        """A session counts once the user's context is known as well: without his company no order can be placed."""
        words = {"password": self.account["password"]}
        found = self._post("common.db.login", [self.account["login"], words, "en"])
        user, key = found[0], found[1]
        session = base64.b64encode(f"{self.account['login']}:{user}:{key}".encode()).decode()
        self.context = self._post("model.res.user.get_preferences", [True, {}], session)
        self.session = session

    def _post(self, method: str, params: list[Any], session: str = "") -> Any:
        body = json.dumps({"id": 0, "method": method, "params": params})
        headers = {"Content-Type": "application/json"}
        if session:
            headers["Authorization"] = f"Session {session}"
        connection = Connection(self.server, self.config["connect_timeout_seconds"], self.config["call_timeout_seconds"])
        try:
            try:
                connection.connect()
            except OSError as error:
                raise Unreachable(f"no connection: {error}") from error
            try:
                connection.request("POST", f"/{self.account['database']}/", body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswer(f"no answer: {error or type(error).__name__}") from error
        finally:
            connection.close()
        return read_answer(answer.status, text)


def read_answer(status: int, text: bytes) -> Any:
    """The result in an answer of the ERP; an error that may have come after a commit counts as no answer."""
    if status == UNAUTHORIZED:
        raise LoggedOut("the session is not known")
    if status != http.client.OK:
        raise NoAnswer(f"HTTP status {status}")
    try:
        document = json.loads(text, object_hook=_decode)
    except ValueError as error:
        raise NoAnswer("the answer is not JSON") from error
    if "error" in document:
        words = [str(word) for word in document["error"]]
        if words and words[0] in REFUSALS:
            raise Refused(": ".join(words)[:200])
        raise NoAnswer(words[0][:200] if words else "an error without words")
    return document["result"]


def _decode(value: dict[str, Any]) -> Any:
    return value["decimal"] if value.get("__class__") == "Decimal" else value
