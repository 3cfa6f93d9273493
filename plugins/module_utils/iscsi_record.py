# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The C(name = value) files of open-iscsi: iscsid.conf, initiatorname.iscsi and node records. Pure: text in, text out.

They hold CHAP secrets, which must not go through a command line; so the files are edited here and iscsiadm is only asked
to create a record and to log in.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^\s*([A-Za-z][\w.\[\]]*)\s*=\s*(.*?)\s*$")


def parse_settings(text):
    """Settings of a file; comments and the BEGIN/END marks of a record are skipped, the last of two equal names counts."""
    return {match[1]: match[2] for match in map(_LINE.match, text.splitlines()) if match}


def find_wrong_settings(text, wanted):
    """Names whose value in I(text) is missing or differs from I(wanted)."""
    have = parse_settings(text)
    return sorted(name for name, value in wanted.items() if have.get(name) != value)


def replace_settings(text, wanted, end_mark="# END RECORD"):
    """I(text) with the wanted settings in the places of the old ones; new ones go before I(end_mark), or to the end."""
    lines, left = [], dict(wanted)
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[1] in wanted:
            if match[1] not in left:
                continue
            line = f"{match[1]} = {left.pop(match[1])}"
        lines.append(line)
    added = [f"{name} = {value}" for name, value in sorted(left.items())]
    position = next((i for i, line in enumerate(lines) if line.strip() == end_mark), len(lines))
    return "\n".join(lines[:position] + added + lines[position:]) + "\n"


def build_node_settings(timeouts, chap):
    """Settings of a session that multipath stands above: it must fail early and never give up reconnecting.

    I(timeouts) in seconds: replacement, noop_interval, noop_timeout, login, abort.
    """
    return {
        # The login service asks for sessions in a fixed order; open-iscsi's own start would ask for all at once.
        "node.startup": "manual",
        "node.session.timeo.replacement_timeout": str(timeouts["replacement"]),
        "node.conn[0].timeo.login_timeout": str(timeouts["login"]),
        "node.conn[0].timeo.noop_out_interval": str(timeouts["noop_interval"]),
        "node.conn[0].timeo.noop_out_timeout": str(timeouts["noop_timeout"]),
        "node.session.err_timeo.abort_timeout": str(timeouts["abort"]),
        "node.session.err_timeo.lu_reset_timeout": str(2 * timeouts["abort"]),
        # One try: the service that asked tries again, and goes on to the other portal meanwhile.
        "node.session.initial_login_retry_max": "1",
        # 0: an established session is re-opened for ever (man iscsid.conf).
        "node.session.reopen_max": "0",
        "node.session.auth.authmethod": "CHAP",
        "node.session.auth.username": chap["username"],
        "node.session.auth.password": chap["password"],
        "node.session.auth.username_in": chap["mutual_username"],
        "node.session.auth.password_in": chap["mutual_password"],
    }
