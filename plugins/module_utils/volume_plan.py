# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Decides what a node may and should do for a shared volume group. Pure: states in, actions out.

The danger is a LUN that is in use elsewhere, or that carries something nobody told us about. Invariant: nothing is written
to a LUN unless it is empty or already belongs to this group, no other node's key is on it, and the group is this node's.
A LUN that LVM labelled and never put into a group carries no data: it is what a run leaves that was cut off before that.

A state:
  system_id     of this node, as LVM knows it
  devices_file  devices that LVM on this node looks at
  devices       device -> size (bytes), content (signatures found; empty list: blank), group (name or None),
                unused (LVM's label and no group, ever), keys
  group         None, or system_id, autoactivation, free (bytes), extent (bytes), devices (device -> bytes that LVM uses),
                volumes (name -> size, active, fstype as tagged, mounted, filesystem_size)
Sizes are bytes; a wanted size may be a share of the free space such as C(100%FREE).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from .errors import RefusedError
from .reservation_key import key_is_of_cluster, key_node_id
from .resource import Action
from .scsi_persistent import key_text

# Tag on a volume once its file system is complete; without it a run that was cut off is finished by the next one.
FILESYSTEM_TAG = "holdfast.fs."
# LVM's default extent; smaller differences are rounding of LVM or of mkfs (an incomplete last allocation group).
ROUNDING_BYTES = 16 * 2**20
# lvmcreate defaults: 1 MiB of metadata area at the front, rest in extents.
EXTENT_BYTES = 4 * 2**20


@dataclass(frozen=True)
class WantedGroup:
    """Name, devices, volumes (name, size in bytes or share, fstype), and which node this is in which cluster."""

    name: str
    devices: list
    volumes: list
    cluster: str
    node_id: int
    create: bool


def plan_group(before, wanted):
    """Actions in order; raises L(RefusedError) where a LUN is not ours to touch."""
    problems = _find_unusable(before, wanted)
    if problems:
        raise RefusedError("; ".join(problems), problems=problems)
    missing = [device for device in wanted.devices if device not in before["devices_file"]]
    listed = [Action("list_device", device) for device in missing]
    group = before["group"]
    if group is None:
        return listed + (_plan_creation(before, wanted) if wanted.create else [])
    if group["system_id"] != before["system_id"]:
        return listed
    return listed + _plan_upkeep(before, wanted)


def _find_unusable(before, wanted):
    problems = []
    for device in wanted.devices:
        have = before["devices"].get(device)
        if have is None:
            problems.append(f"{device} does not exist on this node: log in and assemble its map first")
            continue
        foreign = [key_text(key) for key in have["keys"] if not key_is_of_cluster(key, wanted.cluster)]
        if foreign:
            problems.append(f"{device} carries keys of somebody else than cluster {wanted.cluster}: {', '.join(foreign)}")
        if have["group"] not in (None, wanted.name):
            problems.append(f"{device} belongs to volume group {have['group']}")
        elif have["content"] and have["group"] is None and not have["unused"]:
            problems.append(f"{device} is not blank: {', '.join(have['content'])}. Wipe it by hand if it may be used")
    group = before["group"]
    surplus = sorted(set(group["devices"]) - set(wanted.devices)) if group else []
    if surplus:
        problems.append(f"volume group {wanted.name} also lies on {', '.join(surplus)}, which the inventory does not name")
    return problems


def _refuse_other_owner(before, wanted, what):
    owners = {
        key_node_id(key) for have in before["devices"].values() for key in have["keys"] if key_node_id(key) != wanted.node_id
    }
    if owners:
        listed = ", ".join(str(owner) for owner in sorted(owners))
        raise RefusedError(f"cannot {what} {wanted.name}: node {listed} holds its LUNs. Run again when this node owns it")


def _plan_creation(before, wanted):
    _refuse_other_owner(before, wanted, "create")
    actions = [Action("create_group", wanted.name, {"devices": wanted.devices})]
    actions += [Action("create_volume", v["name"], {"size": v["size"]}) for v in wanted.volumes]
    actions += [Action("create_filesystem", v["name"], {"fstype": v["fstype"]}) for v in wanted.volumes]
    return [*actions, Action("deactivate_group", wanted.name)]


def _plan_upkeep(before, wanted):
    group = before["group"]
    actions = [Action("forbid_autoactivation", wanted.name)] if group["autoactivation"] else []
    actions += [
        Action("resize_device", device, {"size": before["devices"][device]["size"]})
        for device, size in sorted(group["devices"].items())
        if before["devices"][device]["size"] - size >= group["extent"]
    ]
    actions += [Action("add_device", device) for device in wanted.devices if device not in group["devices"]]
    free = _free_after(before, actions)
    added, grown, unfinished = _plan_volumes(group, wanted, free)
    actions += added + grown + unfinished
    was_inactive = not any(volume["active"] for volume in group["volumes"].values())
    if _was_left_active(before) or (was_inactive and (added or unfinished)):
        actions = [*actions, Action("deactivate_group", wanted.name)]
    if actions:
        _refuse_other_owner(before, wanted, "change")
    return actions


def _was_left_active(before):
    """By a run that was cut off: what the agent activates has this node's key on its LUNs before, and is mounted after."""
    volumes = before["group"]["volumes"].values()
    nobody_starts = not any(have["keys"] for have in before["devices"].values())
    return nobody_starts and any(volume["active"] for volume in volumes) and not any(volume["mounted"] for volume in volumes)


def _free_after(before, actions):
    """Free bytes once devices were added and resized."""
    free = before["group"]["free"]
    for action in actions:
        if action.verb == "resize_device":
            free += action.detail["size"] - before["group"]["devices"][action.subject]
        elif action.verb == "add_device":
            free += before["devices"][action.subject]["size"]
    return free


def _plan_volumes(group, wanted, free):
    """Volumes to add, to grow, and whose file system is not complete yet."""
    added, grown, unfinished = [], [], []
    for want in wanted.volumes:
        have = group["volumes"].get(want["name"])
        if have is None:
            added.append(Action("create_volume", want["name"], {"size": want["size"]}))
            unfinished.append(Action("create_filesystem", want["name"], {"fstype": want["fstype"]}))
            continue
        if have["fstype"] is None:
            unfinished.append(Action("create_filesystem", want["name"], {"fstype": want["fstype"]}))
        elif have["fstype"] != want["fstype"]:
            raise RefusedError(f"{wanted.name}/{want['name']} carries {have['fstype']}, not {want['fstype']}; its data stays")
        if _should_grow(have, want, free, group["extent"]):
            grown.append(Action("grow_volume", want["name"], {"size": want["size"]}))
        elif have["mounted"] and have["size"] - have["filesystem_size"] >= ROUNDING_BYTES:
            grown.append(Action("grow_filesystem", want["name"], {"fstype": have["fstype"]}))
    return added, grown, unfinished


def _should_grow(have, want, free, extent):
    """A mounted volume grows with its file system. One that is not mounted waits: XFS cannot grow otherwise."""
    if not have["mounted"]:
        return False
    if isinstance(want["size"], int):
        return want["size"] - have["size"] >= extent
    return want["size"] == "100%FREE" and free >= extent


def find_waiting(state, wanted):
    """What has to wait until the package runs on this node, in words."""
    group = state["group"]
    if group is None or group["system_id"] != state["system_id"]:
        return []
    waiting = []
    for want in wanted.volumes:
        have = group["volumes"].get(want["name"])
        if have is None or have["mounted"]:
            continue
        if _should_grow({**have, "mounted": True}, want, group["free"], group["extent"]):
            waiting.append(f"{wanted.name}/{want['name']} grows when its package runs: a file system grows while it is mounted")
    return waiting


def expect_group(before, wanted, actions):
    """The state after the plan, for check mode; sizes that LVM decides are left as they were."""
    after = deepcopy(before)
    after["devices_file"] = sorted({*before["devices_file"], *wanted.devices})
    verbs = {action.verb for action in actions}
    if "create_group" in verbs:
        after["group"] = {"system_id": before["system_id"], "autoactivation": False, "free": 0, "extent": EXTENT_BYTES}
        after["group"]["devices"] = {device: before["devices"][device]["size"] for device in wanted.devices}
        after["group"]["volumes"] = {}
    group = after["group"]
    for action in actions:
        if action.verb == "forbid_autoactivation":
            group["autoactivation"] = False
        elif action.verb in ("add_device", "resize_device"):
            group["devices"][action.subject] = before["devices"][action.subject]["size"]
        elif action.verb == "create_volume":
            group["volumes"][action.subject] = {"size": action.detail["size"], "active": False, "mounted": False}
        elif action.verb == "create_filesystem":
            group["volumes"][action.subject]["fstype"] = action.detail["fstype"]
        elif action.verb == "grow_volume":
            group["volumes"][action.subject]["size"] = action.detail["size"]
    return after
