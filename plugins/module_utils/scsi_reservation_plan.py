# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Decides which persistent reservation commands lead to the wanted state. Pure: states in, actions out.

A state: paths (list of device, registered_key), keys (of all nexuses), holder and type (None where nothing is reserved).
Invariant: a key that is not of this cluster is never removed, and a reservation of another node only where its key is named.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

from .errors import RefusedError
from .reservation_key import key_is_of_cluster
from .resource import Action
from .scsi_persistent import WRITE_EXCLUSIVE_REGISTRANTS_ONLY, key_text


@dataclass(frozen=True)
class WantedReservation:
    """Own key; level (C(reserved), C(registered), C(absent)); keys of the cluster to eject."""

    cluster: str
    key: int
    level: str
    preempt: list = field(default_factory=list)


def plan_reservation(before, wanted):
    """Actions in the order in which the array accepts them; raises L(RefusedError) where a key is not ours to touch."""
    _refuse_foreign(before, wanted)
    if wanted.level == "absent":
        return _plan_absent(before, wanted)
    actions = [
        Action("register", path["device"], {"key": key_text(wanted.key), "old": key_text(path["registered_key"] or 0)})
        for path in before["paths"]
        if path["registered_key"] != wanted.key
    ]
    holder = before["holder"]
    ejected = [key for key in wanted.preempt if key in before["keys"]]
    actions += [Action("preempt", key_text(key), {"key": key_text(wanted.key)}) for key in ejected]
    if wanted.level == "reserved" and holder != wanted.key and holder not in ejected:
        if holder is not None:
            raise RefusedError(f"reserved by {key_text(holder)}: name that key under preempt if its node may be ejected")
        actions.append(Action("reserve", "the LUN", {"key": key_text(wanted.key)}))
    return actions


def _refuse_foreign(before, wanted):
    foreign = sorted({key for key in before["keys"] + wanted.preempt if not key_is_of_cluster(key, wanted.cluster)})
    if foreign:
        listed = ", ".join(key_text(key) for key in foreign)
        raise RefusedError(
            f"keys of somebody else than cluster {wanted.cluster}: {listed}. Find their owner; they are not cleared", keys=listed
        )
    if not key_is_of_cluster(wanted.key, wanted.cluster):
        raise RefusedError(f"{key_text(wanted.key)} is not a key of cluster {wanted.cluster}")
    if before["holder"] is not None and before["type"] != WRITE_EXCLUSIVE_REGISTRANTS_ONLY:
        raise RefusedError(f"reserved with type {before['type']}; this project uses type {WRITE_EXCLUSIVE_REGISTRANTS_ONLY} only")


def _plan_absent(before, wanted):
    registered = [path for path in before["paths"] if path["registered_key"] == wanted.key]
    actions = []
    if registered and before["holder"] == wanted.key:
        actions.append(Action("release", "the LUN", {"key": key_text(wanted.key)}))
    return actions + [Action("unregister", path["device"], {"key": key_text(wanted.key)}) for path in registered]


def expect_reservation(before, wanted):
    """The state after the plan, for check mode."""
    after = deepcopy(before)
    stays = wanted.level != "absent"
    mine = [wanted.key] * len(before["paths"]) if stays else []
    replaced = {path["registered_key"] for path in before["paths"]} | {wanted.key} | set(wanted.preempt)
    after["keys"] = sorted([key for key in before["keys"] if key not in replaced] + mine)
    for path in after["paths"]:
        if stays or path["registered_key"] == wanted.key:
            path["registered_key"] = wanted.key if stays else None
    if wanted.level == "reserved" or before["holder"] in wanted.preempt:
        after["holder"], after["type"] = wanted.key, WRITE_EXCLUSIVE_REGISTRANTS_ONLY
    elif not stays and before["holder"] == wanted.key:
        after["holder"] = after["type"] = None
    return after
