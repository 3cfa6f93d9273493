# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads and changes open-iscsi on a node: files and sysfs are read directly, iscsiadm is started only for a change."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .command import run
from .errors import HoldfastError
from .iscsi_plan import expect_initiator, plan_initiator, session_name
from .iscsi_record import find_wrong_settings, parse_settings, replace_settings
from .resource import Resource
from .scsi_paths import read_attribute, session_isid

INITIATOR_NAME_FILE = Path("/etc/iscsi/initiatorname.iscsi")
SERVICE_SESSIONS_FILE = Path("/etc/holdfast/iscsi-sessions.json")
# Debian 12 keeps node records below /etc, Debian 13 below /var/lib; open-iscsi is built for one of them.
RECORD_DIRECTORIES = (Path("/var/lib/iscsi/nodes"), Path("/etc/iscsi/nodes"))
_SESSIONS = Path("/sys/class/iscsi_session")
_CONNECTIONS = Path("/sys/class/iscsi_connection")
# iscsiadm(8), exit codes: 15 session exists, 21 no record or session found. Both are the wanted end of a repeated step.
_LOGIN_EXIT_CODES = (0, 15)
_ABSENT_EXIT_CODES = (0, 21)
_SECRET_FILE_MODE = 0o600
_PORTAL_GROUP_TAG = 1


class InitiatorResource(Resource):
    """Name, records and sessions of one node."""

    def __init__(self, wanted, prefix, allow_removal):
        self.wanted = wanted
        self.prefix = prefix
        self.allow_removal = allow_removal

    def read(self):
        """The node's state, in the shape described in iscsi_plan."""
        return read_initiator(self.wanted.settings)

    def plan(self, before):
        """See L(plan_initiator)."""
        return plan_initiator(before, self.wanted, self.prefix, self.allow_removal)

    def expect(self, before):
        """See L(expect_initiator)."""
        return expect_initiator(before, self.wanted, self.prefix)

    def apply(self, action):
        """Carry out one action."""
        getattr(self, "_" + action.verb)(action.subject)

    def _set_initiator_name(self, name):
        write_file(INITIATOR_NAME_FILE, f"InitiatorName={name}\n")
        if (Path("/run/iscsid.pid")).exists():
            # iscsid reads its name once, at start; there is no session yet that a restart could hurt.
            run(["systemctl", "restart", "iscsid.service"])

    def _create_record(self, name):
        # With the tag of the portal group the record gets the directory that record_files looks for; without it
        # iscsiadm writes the layout of old versions (usr/idbm.c).
        target, portal = name.split(" ", 1)
        run(["iscsiadm", "-m", "node", "-T", target, "-p", f"{portal},{_PORTAL_GROUP_TAG}", "-o", "new"])
        self._update_record(name)

    def _update_record(self, name):
        path = record_files()[name]
        write_file(path, replace_settings(path.read_text(encoding="utf-8"), self.wanted.settings))

    def _delete_record(self, name):
        run(["iscsiadm", "-m", "node", *_selector(name), "-o", "delete"], expected=_ABSENT_EXIT_CODES)

    def _write_service_sessions(self, _subject):
        sessions = [{"target": p["target"], "portal": p["portal"]} for p in self.wanted.portals]
        SERVICE_SESSIONS_FILE.parent.mkdir(parents=True, exist_ok=True)
        write_file(SERVICE_SESSIONS_FILE, json.dumps(sessions, indent=1) + "\n")

    def _log_in(self, name):
        run(["iscsiadm", "-m", "node", *_selector(name), "--login"], expected=_LOGIN_EXIT_CODES)

    def _log_out(self, name):
        run(["iscsiadm", "-m", "node", *_selector(name), "--logout"], expected=_ABSENT_EXIT_CODES)


def _selector(name):
    target, portal = name.split(" ", 1)
    return ["-T", target, "-p", portal]


def write_file(path, text):
    """Replace a file in one step, readable by root alone: records and names are read by daemons at any moment."""
    temporary = path.with_name("." + path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _SECRET_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def read_initiator(settings):
    """Name, records compared with I(settings), order of login and sessions."""
    return {
        "initiator_name": _read_initiator_name(),
        "service_sessions": _read_service_sessions(),
        "records": {
            name: find_wrong_settings(path.read_text(encoding="utf-8"), settings)
            for name, path in sorted(record_files().items())
        },
        "sessions": read_sessions(),
    }


def _read_initiator_name():
    try:
        text = INITIATOR_NAME_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return parse_settings(text).get("InitiatorName")


def _read_service_sessions():
    try:
        text = SERVICE_SESSIONS_FILE.read_text(encoding="utf-8")
        return [session_name(row["target"], row["portal"]) for row in json.loads(text)]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise HoldfastError(f"{SERVICE_SESSIONS_FILE} is damaged: {error}. Delete it and run again") from error


def record_files():
    """Session name -> file of every node record. Layout: TARGET/ADDRESS,PORT,TAG/INTERFACE (usr/idbm.h)."""
    records = {}
    for directory in RECORD_DIRECTORIES:
        for path in directory.glob("*/*,*/default"):
            address, port, _tag = path.parent.name.rsplit(",", 2)
            records[session_name(path.parent.parent.name, f"{address}:{port}")] = path
    return records


def read_sessions():
    """Session name -> number, state, ISID and InitiatorName of every session the kernel has."""
    sessions = {}
    for directory in sorted(_SESSIONS.glob("session*")) if _SESSIONS.is_dir() else []:
        number = int(directory.name.removeprefix("session"))
        connection = _CONNECTIONS / f"connection{number}:0"
        portal = f"{read_attribute(connection / 'persistent_address')}:{read_attribute(connection / 'persistent_port')}"
        sessions[session_name(read_attribute(directory / "targetname"), portal)] = {
            "number": number,
            "state": read_attribute(directory / "state"),
            "isid": session_isid(number),
            "initiator_name": read_attribute(directory / "initiatorname"),
        }
    return sessions
