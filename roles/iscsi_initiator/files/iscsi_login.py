# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Logs this node in to its portals, one after the other, and tries again until every session exists.

open-iscsi logs in to all portals at once and gives up when the array is not there yet. It also makes the ISID of a session
from a counter, and the array knows a node's registrations by ISID: so the order has to be the same at every boot. A portal that
does not listen yet holds up those behind it for a while, but not for ever: a storage network may be down.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

SESSIONS_FILE = Path("/etc/holdfast/iscsi-sessions.json")
SESSION_CLASS = Path("/sys/class/iscsi_session")
RETRY_SECONDS = 0.5
# An array that is there takes a connection within milliseconds.
CONNECT_SECONDS = 1.0
# How long a portal that does not listen holds up those behind it. Nodes and array get their power at the same time: the array
# opens its portals one after the other, within seconds.
ORDER_SECONDS = 15.0
# Longer than login timeout and connect timeout of a record together; iscsiadm ends by itself before.
LOGIN_LIMIT_SECONDS = 60


def find_missing(wanted: list[dict[str, str]], present: set[str]) -> list[dict[str, str]]:
    """Wanted sessions without a session in the kernel. A target has one portal, so its name is enough."""
    return [session for session in wanted if session["target"] not in present]


def read_present() -> set[str]:
    """Targets of all sessions that the kernel has, logged in or in recovery."""
    names = set()
    for directory in SESSION_CLASS.glob("session*"):
        try:
            names.add((directory / "targetname").read_text(encoding="ascii").strip())
        except OSError:
            continue  # the session ended while we were looking
    return names


def listens(portal: str) -> bool:
    """Whether the portal, C(address:port), takes a connection."""
    address, port = portal.rsplit(":", 1)
    try:
        with socket.create_connection((address.strip("[]"), int(port)), CONNECT_SECONDS):
            return True
    except OSError:
        return False


def choose(missing: list[dict[str, str]], waited_seconds: float) -> list[dict[str, str]]:
    """Whom to log in to now: all in their order, up to the first that does not listen; once its time is over, without it."""
    chosen = []
    for session in missing:
        if listens(session["portal"]):
            chosen.append(session)
        elif waited_seconds < ORDER_SECONDS:
            break
    return chosen


def log_in(session: dict[str, str]) -> None:
    """One try; a failure is told in the journal and the next round tries again."""
    argv = ["/usr/sbin/iscsiadm", "-m", "node", "-T", session["target"], "-p", session["portal"], "--login"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=LOGIN_LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        print(f"{session['portal']}: no answer within {LOGIN_LIMIT_SECONDS} s", flush=True)
        return
    if done.returncode != 0:
        print(f"{session['portal']}: {(done.stderr or done.stdout).strip()}", flush=True)


def main() -> int:
    """Exit code 0 once every session exists."""
    wanted = json.loads(SESSIONS_FILE.read_text(encoding="utf-8"))
    begun = time.monotonic()
    while missing := find_missing(wanted, read_present()):
        for session in choose(missing, time.monotonic() - begun):
            log_in(session)
        if find_missing(wanted, read_present()):
            time.sleep(RETRY_SECONDS)
    print(f"{len(wanted)} sessions established", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
