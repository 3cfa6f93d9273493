"""The control socket: every question is answered once, and whoever left before his answer is known to have left."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from holdfast_agent.control.protocol import Request, encode
from holdfast_agent.control.server import Asker, ControlServer
from holdfast_agent.daemon.loop import Loop


def connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(path))
    client.sendall(encode({"verb": "move", "package": "erp"}))
    return client


def test_whoever_waits_is_told_from_whoever_left(tmp_path: Path) -> None:
    path, loop, asked = tmp_path / "control.sock", Loop(), list[tuple[Request, Asker]]()
    ControlServer(loop, lambda request, asker: asked.append((request, asker)), path)
    stays, leaves = connect(path), connect(path)
    loop.call_at(loop.now + 0.2, loop.stop)
    loop.run()
    (request, first), (_, second) = asked
    assert request == Request("move", "erp")
    assert not first.has_left() and not second.has_left()
    leaves.close()
    assert second.has_left() and not first.has_left()
    second.answer({"ok": True})
    first.answer({"ok": True, "reason": "moved"})
    assert json.loads(stays.makefile().readline()) == {"ok": True, "reason": "moved"}
    assert stays.recv(1) == b""
    stays.close()


def test_what_is_no_request_is_answered_with_the_reason(tmp_path: Path) -> None:
    path, loop = tmp_path / "control.sock", Loop()
    ControlServer(loop, lambda request, asker: None, path)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(path))
    client.sendall(b"{}\n")
    loop.call_at(loop.now + 0.2, loop.stop)
    loop.run()
    assert json.loads(client.makefile().readline())["ok"] is False
    client.close()
