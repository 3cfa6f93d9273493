"""The lab's control socket: one JSON request a connection, one JSON answer, descriptors where the verb gives one."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.sockets import listen
from holdfast.lab.supervisor import network
from holdfast.lab.supervisor.node import Node
from holdfast.lab.topology import Topology

CONNECT_SECONDS = 3.0     # to a port of a node


def _request(line: bytes) -> dict[str, Any]:
    """What was asked, as a mapping with a verb; ValueError for anything else."""
    request = json.loads(line)
    if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
        raise ValueError("a request is a JSON object with a verb")
    return request


class Control:
    """Answers requests until `shutdown` was asked for."""

    def __init__(self, topology: Topology, nodes: dict[str, Node], path: Path) -> None:
        self.topology, self.nodes = topology, nodes
        self.server = listen(path)
        self.ended = threading.Event()
        self.verbs: dict[str, Callable[[dict[str, Any]], Any]] = {
            "status": lambda request: {name: node.status() for name, node in self.nodes.items()},
            "power_on": lambda request: self.node(request).power_on(),
            "power_off": lambda request: self.node(request).power_off(),
            "freeze": lambda request: self.node(request).freeze(),
            "thaw": lambda request: self.node(request).thaw(),
            "unplug": lambda request: self.cable(request, plugged=False),
            "plug": lambda request: self.cable(request, plugged=True),
            "shutdown": self.shutdown,
        }
        # These answer with a descriptor.
        self.giving: dict[str, Callable[[socket.socket, dict[str, Any]], None]] = {
            "connect": self.connect, "console": self.console,
        }

    def serve(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()
        self.ended.wait()

    def _accept(self) -> None:
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            request: dict[str, Any] = {}
            try:
                request = _request(client.makefile("rb").readline())
                if request["verb"] in self.giving:
                    self.giving[request["verb"]](client, request)
                    return
                if request["verb"] not in self.verbs:
                    raise UsageError(f"unknown verb {request['verb']!r}")
                answer = {"result": self.verbs[request["verb"]](request)}
            except (LabError, OSError, ValueError) as error:
                answer = {"error": str(error), "exit_code": getattr(error, "exit_code", 1)}
            try:
                client.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:           # the caller is gone; what it asked for is done
                return
        if request.get("verb") == "shutdown":
            self.ended.set()

    def node(self, request: dict[str, Any]) -> Node:
        return self.nodes[self.topology.machine(str(request.get("node"))).name]

    def cable(self, request: dict[str, Any], *, plugged: bool) -> bool:
        """Attach or detach; True when that changed something."""
        node, name = self.node(request), str(request.get("network"))
        if name not in node.boot.machine.networks:
            raise UsageError(f"{node.name} has no network '{name}'; it has {', '.join(node.boot.machine.networks)}")
        changed = (name in node.unplugged) == plugged
        network.set_cable(self.topology, node.boot.machine, name, plugged)
        (node.unplugged.discard if plugged else node.unplugged.add)(name)
        return changed

    def connect(self, client: socket.socket, request: dict[str, Any]) -> None:
        """A TCP connection to a node, made here inside the namespace; its descriptor goes to the caller."""
        node, port = self.node(request), int(request.get("port", ""))
        if node.state in ("off", "failed"):
            raise LabError(f"{node.name} is {node.state}")
        address = self.topology.addresses(node.boot.machine)["mgmt"].ip
        try:
            with socket.create_connection((str(address), port), CONNECT_SECONDS) as connection:
                connection.setblocking(True)
                socket.send_fds(client, [b"{}"], [connection.fileno()])
        except OSError as error:
            raise LabError(f"{node.name} does not answer on port {port}: {error}") from error

    def console(self, client: socket.socket, request: dict[str, Any]) -> None:
        node = self.node(request)
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(client, [b"{}"], [theirs.fileno()])
        node.attach(ours.detach())

    def shutdown(self, request: dict[str, Any]) -> bool:
        """Cut the power of all nodes; the supervisor ends after the answer was sent."""
        threads = [threading.Thread(target=node.power_off) for node in self.nodes.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return True
