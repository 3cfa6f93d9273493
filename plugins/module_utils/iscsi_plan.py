# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Decides what a node's iSCSI initiator still lacks. Pure: states in, actions out.

A state: initiator_name; service_sessions (list of portals in login order that the login service knows);
records ("IQN portal" -> names of wrong settings, None where there is no record);
sessions ("IQN portal" -> number, state, isid, initiator_name).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from .errors import RefusedError
from .resource import Action


@dataclass(frozen=True)
class WantedInitiator:
    """InitiatorName, portals (dicts with target and portal) in login order, settings of every record."""

    name: str
    portals: list
    settings: dict

    def session_names(self):
        """The keys under which states list sessions and records."""
        return [session_name(portal["target"], portal["portal"]) for portal in self.portals]


def session_name(target, portal):
    """One session of this node, as tools write it: target, then address and port."""
    return f"{target} {portal}"


def plan_initiator(before, wanted, prefix, allow_removal):
    """Actions in order: name, records, order of login, sessions; removal of what starts with I(prefix) and is not wanted."""
    actions = []
    if before["initiator_name"] != wanted.name and wanted.name:
        if before["sessions"]:
            raise RefusedError(
                f"the node is logged in as {before['initiator_name']}; its sessions end before it can become {wanted.name}",
                sessions=sorted(before["sessions"]),
            )
        actions.append(Action("set_initiator_name", wanted.name))
    actions += _plan_removal(before, wanted, prefix, allow_removal)
    for name in wanted.session_names():
        wrong = before["records"].get(name)
        if wrong is None:
            actions.append(Action("create_record", name))
        elif wrong:
            actions.append(Action("update_record", name, {"settings": ", ".join(wrong)}))
    if before["service_sessions"] != wanted.session_names():
        actions.append(Action("write_service_sessions", "of the login service"))
    actions += [Action("log_in", name) for name in wanted.session_names() if name not in before["sessions"]]
    return actions


def _plan_removal(before, wanted, prefix, allow_removal):
    kept = wanted.session_names()
    sessions = [n for n in sorted(before["sessions"]) if n not in kept and n.startswith(prefix + ":")]
    records = [n for n in sorted(before["records"]) if n not in kept and n.startswith(prefix + ":")]
    surplus = sorted({*sessions, *records})
    if surplus and not allow_removal:
        raise RefusedError(
            "the node still has sessions or records that the inventory no longer names: " + ", ".join(surplus) + ". "
            "Put them back into the inventory, or allow the removal",
            surplus=surplus,
        )
    return [Action("log_out", name) for name in sessions] + [Action("delete_record", name) for name in records]


def expect_initiator(before, wanted, prefix):
    """The state after the plan, for check mode; numbers of sessions that do not exist yet are null."""
    after = deepcopy(before)
    names = wanted.session_names()
    after["initiator_name"] = wanted.name or before["initiator_name"]
    after["service_sessions"] = names
    for kind in ("records", "sessions"):
        after[kind] = {n: v for n, v in before[kind].items() if n in names or not n.startswith(prefix + ":")}
    for name in names:
        after["records"][name] = []
        after["sessions"].setdefault(
            name, {"number": None, "state": "LOGGED_IN", "isid": None, "initiator_name": after["initiator_name"]}
        )
    return after
