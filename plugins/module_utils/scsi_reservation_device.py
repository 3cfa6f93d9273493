# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads and changes the persistent reservation of one LUN over its paths."""

from __future__ import annotations

from . import scsi_persistent as pr
from .errors import ReservationConflict, ScsiError
from .resource import Resource
from .scsi_generic import SENSE_ILLEGAL_REQUEST, SgDevice
from .scsi_paths import find_paths
from .scsi_reservation_plan import expect_reservation, plan_reservation

# Room for 1024 keys; a LUN has as many registrations as nodes times paths.
_KEYS_BYTES = 8 + 8 * 1024
_STATUS_BYTES = 60_000    # READ FULL STATUS; its allocation length has 16 bits
_SHORT_BYTES = 64         # READ RESERVATION and REPORT CAPABILITIES, which answer with 24 and 8 bytes


class ReservationResource(Resource):
    """The reservation of one LUN and this node's registrations on it."""

    def __init__(self, lun, wanted):
        self.lun = lun
        self.wanted = wanted

    def read(self):
        """See L(read_reservation)."""
        return read_reservation(self.lun)

    def plan(self, before):
        """See L(plan_reservation); a LUN whose paths do not all answer is not changed."""
        broken = [path["device"] for path in before["paths"] if path["error"]]
        if broken:
            raise ScsiError("paths that do not answer: " + ", ".join(broken) + ". Repair them first", paths=broken)
        return plan_reservation(before, self.wanted)

    def expect(self, before):
        """See L(expect_reservation)."""
        return expect_reservation(before, self.wanted)

    def public(self, state):
        """Keys as text."""
        return show_reservation(state)

    def apply(self, action):
        """Carry out one action; everything but a registration goes over any path that is registered."""
        key = int(action.detail["key"], 0)
        getattr(self, "_" + action.verb)(action, key)

    def _register(self, action, key):
        # APTPL with every registration: the array keeps its latest value for all of them (SPC-4 5.13.5).
        self._send(action.subject, pr.REGISTER, pr.build_out_parameters(int(action.detail["old"], 0), key, aptpl=True))

    def _unregister(self, action, key):
        self._send(action.subject, pr.REGISTER, pr.build_out_parameters(key, 0, aptpl=True))

    def _reserve(self, _action, key):
        self._send(self._registered_device(key), pr.RESERVE, pr.build_out_parameters(key))

    def _preempt(self, action, key):
        victim = int(action.subject, 0)
        self._send(self._registered_device(key), pr.PREEMPT_AND_ABORT, pr.build_out_parameters(key, victim))

    def _release(self, _action, key):
        # Only the holding nexus can release; the array answers GOOD and does nothing on the others.
        for path in read_reservation(self.lun)["paths"]:
            if path["registered_key"] == key:
                self._send(path["device"], pr.RELEASE, pr.build_out_parameters(key))

    def _registered_device(self, key):
        for path in read_reservation(self.lun)["paths"]:
            if path["registered_key"] == key:
                return path["device"]
        raise ReservationConflict(f"{self.lun}: no path of this node is registered with {pr.key_text(key)} any more")

    @staticmethod
    def _send(device, service_action, parameters):
        kind = 0 if service_action == pr.REGISTER else pr.WRITE_EXCLUSIVE_REGISTRANTS_ONLY
        with SgDevice(device) as path:
            path.send(pr.build_out_cdb(service_action, kind), parameters)


def read_reservation(lun):
    """Everything a LUN tells about its reservation, asked over the first path that answers, plus each path's own key."""
    paths, status = [], None
    for path in find_paths(lun):
        row = {"device": path.device, "state": path.state, "error": ""}
        row.update(initiator=path.initiator, target_port=path.target_port)
        try:
            with SgDevice(path.device) as device:
                status = status or _read_status(device)
                device.receive(pr.build_in_cdb(pr.READ_KEYS, 8), 8)
        except ScsiError as error:
            row["error"] = error.message
        paths.append(row)
    if status is None:
        raise ScsiError(f"{lun}: no path answers: " + "; ".join(row["error"] for row in paths), lun=lun)
    for row in paths:
        row["registered_key"] = find_registered_key(row, status["registrations"])
    return {"lun": lun, "paths": paths, **status}


def find_registered_key(path, registrations):
    """Key with which this path's own nexus is registered, or None.

    LIO forgets the target port of registrations that it restored after a restart and reports port 0 (seen with Linux 7.2);
    those are told apart by the initiator port, which differs between a node's sessions.
    """
    for target_port in (path["target_port"], 0):
        for registration in registrations:
            if (registration.initiator, registration.target_port) == (path["initiator"], target_port):
                return registration.key
    return None


def _read_status(device):
    _generation, keys = pr.parse_keys(device.receive(pr.build_in_cdb(pr.READ_KEYS, _KEYS_BYTES), _KEYS_BYTES))
    held = pr.parse_reservation(device.receive(pr.build_in_cdb(pr.READ_RESERVATION, _SHORT_BYTES), _SHORT_BYTES))
    generation, registrations = pr.parse_full_status(
        device.receive(pr.build_in_cdb(pr.READ_FULL_STATUS, _STATUS_BYTES), _STATUS_BYTES)
    )
    return {
        "generation": generation,
        "keys": sorted(keys),
        "holder": held["key"] if held else None,
        "type": held["type"] if held else None,
        "registrations": registrations,
        "capabilities": read_capabilities(device),
    }


def read_capabilities(device):
    """What the array says it can do; preempt_and_abort is None where it cannot be asked (before Linux 6.3)."""
    answer = device.receive(pr.build_in_cdb(pr.REPORT_CAPABILITIES, _SHORT_BYTES), _SHORT_BYTES)
    capabilities = pr.parse_capabilities(answer)
    try:
        query = pr.build_opcode_query_cdb(pr.PREEMPT_AND_ABORT)
        capabilities["preempt_and_abort"] = pr.parse_opcode_query(device.receive(query, 16))
    except ScsiError as error:
        if error.details.get("sense_key") != SENSE_ILLEGAL_REQUEST:
            raise
        capabilities["preempt_and_abort"] = None
    return capabilities


def find_missing_capabilities(capabilities):
    """What a LUN lacks for use in a cluster; empty when it is fit. Something the array does not tell is not counted."""
    missing = []
    if capabilities["types"] is not None and pr.WRITE_EXCLUSIVE_REGISTRANTS_ONLY not in capabilities["types"]:
        missing.append("reservation type 5 (write exclusive, registrants only)")
    if not capabilities["aptpl_capable"]:
        missing.append("registrations that survive a restart of the array (APTPL)")
    if capabilities["preempt_and_abort"] is False:
        missing.append("PREEMPT AND ABORT")
    return missing


def show_reservation(state):
    """The state as a result of a module: keys as text."""

    def text(key):
        return None if key is None else pr.key_text(key)

    return {
        "lun": state["lun"],
        "generation": state["generation"],
        "keys": [pr.key_text(key) for key in state["keys"]],
        "holder": text(state["holder"]),
        "type": state["type"],
        "paths": [{**path, "registered_key": text(path["registered_key"])} for path in state["paths"]],
        "registrations": [
            {"key": pr.key_text(r.key), "initiator": r.initiator, "target_port": r.target_port, "holder": r.holder}
            for r in state["registrations"]
        ],
        "capabilities": state["capabilities"],
        "missing_capabilities": find_missing_capabilities(state["capabilities"]),
    }
