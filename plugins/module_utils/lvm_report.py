# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks LVM for one volume group in one call, and reads the answer. Pure but for the command line it builds."""

from __future__ import annotations

import json
from typing import NamedTuple

from .errors import ParseError
from .volume_plan import FILESYSTEM_TAG

_COLUMNS = {
    "vg": "vg_name,vg_systemid,vg_autoactivation,vg_free,vg_extent_size",
    "pv": "pv_name,pv_size,pe_start,vg_name,pv_in_use,pv_mda_count",
    "lv": "lv_name,lv_size,lv_active,lv_tags,vg_name",
}


class Member(NamedTuple):
    """A device with a label of LVM: its group, and whether LVM never put it into one (C(pvcreate) and nothing after it).

    A device whose group is only not to be seen is marked as in use, or has no metadata area of its own to say so.
    """

    group: str | None
    unused: bool


def build_report_command(devices):
    """C(lvm fullreport) over I(devices) only; groups of other nodes are shown too (C(--foreign))."""
    argv = ["lvm", "fullreport", "--foreign", "--devices", ",".join(devices)]
    argv += ["--reportformat", "json", "--units", "b", "--nosuffix"]
    for report, columns in _COLUMNS.items():
        argv += ["--configreport", report, "-o", columns]
    for report in ("pvseg", "seg"):
        argv += ["--configreport", report, "-o", "pvseg_start" if report == "pvseg" else "seg_start"]
    return argv


def parse_report(text):
    """(groups, L(Member) of each device) of C(lvm fullreport); raises L(ParseError) for anything else."""
    try:
        sections = json.loads(text)["report"]
        groups, members = {}, {}
        for section in sections:
            for row in section["pv"]:
                unused = not row["vg_name"] and not row["pv_in_use"] and int(row["pv_mda_count"]) > 0
                members[row["pv_name"]] = Member(row["vg_name"] or None, unused)
            # A section without "vg" is that of devices that no group has yet: another node is just making it, or was cut off.
            for row in section.get("vg", ()):
                groups[row["vg_name"]] = _parse_group(row, section)
        return groups, members
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError(f"lvm fullreport did not answer as expected: {error!r}", answer=text[:500]) from error


def _parse_group(row, section):
    return {
        "system_id": row["vg_systemid"],
        "autoactivation": row["vg_autoactivation"] == "enabled",
        "free": int(row["vg_free"]),
        "extent": int(row["vg_extent_size"]),
        # The first extent starts where the LUN's optimal I/O size says (8 MiB on LIO), so it belongs to the size.
        "devices": {pv["pv_name"]: int(pv["pe_start"]) + int(pv["pv_size"]) for pv in section["pv"]},
        "volumes": {lv["lv_name"]: _parse_volume(lv) for lv in section["lv"]},
    }


def _parse_volume(row):
    tags = [tag.removeprefix(FILESYSTEM_TAG) for tag in row["lv_tags"].split(",") if tag.startswith(FILESYSTEM_TAG)]
    return {
        "size": int(row["lv_size"]),
        "active": row["lv_active"] not in ("", "unknown"),
        "fstype": tags[0] if tags else None,
        "mounted": False,
        "filesystem_size": 0,
    }


def parse_signatures(text):
    """What C(wipefs --json) found, one word each (C(xfs), C(gpt), C(LVM2_member)); an empty answer means nothing."""
    if not text.strip():
        return []
    try:
        return [row["type"] for row in json.loads(text)["signatures"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError(f"wipefs did not answer as expected: {error!r}", answer=text[:500]) from error
