# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Decides what a node still lacks until every LUN has its map. Pure: states in, actions out.

A state: maps (as parsed from multipathd, plus size in bytes) and luns (WWID -> list of paths with device, size as the
kernel believes, and capacity as the LUN says; both in bytes).
"""

from __future__ import annotations

from copy import deepcopy

from .errors import RefusedError
from .resource import Action


def plan_maps(before, wanted):
    """Actions in order: find LUNs, notice new sizes, assemble maps. I(wanted): name, wwid, paths."""
    actions = []
    if any(len(before["luns"].get(want["wwid"], [])) < want["paths"] for want in wanted):
        actions.append(Action("scan_sessions", "for LUNs that are not seen on every path"))
    for want in wanted:
        stale = [p for p in before["luns"].get(want["wwid"], []) if p["capacity"] is not None and p["capacity"] != p["size"]]
        actions += [Action("rescan_path", path["device"], {"capacity": path["capacity"]}) for path in stale]
    for want in wanted:
        have = before["maps"].get(want["name"])
        if have is None or have["wwid"] != want["wwid"] or have["paths_up"] < want["paths"]:
            actions.append(Action("assemble_map", want["name"], {"wwid": want["wwid"], "paths": want["paths"]}))
        elif _capacity(before, want) not in (None, have["size"]):
            actions.append(Action("resize_map", want["name"], {"size": _capacity(before, want)}))
    return actions


def plan_removal(before, wanted):
    """Actions that take the maps and their paths away; refused where a map is in use."""
    present = [want for want in wanted if want["name"] in before["maps"]]
    busy = [want["name"] for want in present if before["maps"][want["name"]]["open_count"]]
    if busy:
        raise RefusedError("maps in use: " + ", ".join(busy) + ". Stop what uses them first", maps=busy)
    actions = [Action("flush_map", want["name"]) for want in present]
    for want in wanted:
        actions += [Action("delete_path", path["device"]) for path in before["luns"].get(want["wwid"], [])]
    return actions


def _capacity(state, want):
    """What the LUN itself says, provided all its paths say the same."""
    told = {path["capacity"] for path in state["luns"].get(want["wwid"], [])} - {None}
    return told.pop() if len(told) == 1 else None


def expect_maps(before, wanted, present):
    """The state after the plan, for check mode."""
    after = deepcopy(before)
    for want in wanted:
        if not present:
            after["maps"].pop(want["name"], None)
            after["luns"].pop(want["wwid"], None)
            continue
        old = before["maps"].get(want["name"], {})
        size = _capacity(before, want)
        paths_up = max(want["paths"], old.get("paths_up", 0))
        after["maps"][want["name"]] = {**old, "wwid": want["wwid"], "paths_up": paths_up, "size": size or old.get("size")}
    return after
