#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Inject one fault of a drill on this node, prove it, or undo it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fault
short_description: Inject, prove and undo a fault of a drill
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Breaks the node in one of the known ways, and says how it knows that the fault is active.
  - Before anything is done, a timer of the node's own systemd is armed that undoes the fault after O(ttl_seconds),
    whatever becomes of the controller.
  - Undoing may be asked for twice, and without a fault.
extends_documentation_fragment: [holdfast.cluster.attributes]
options:
  kind:
    description: The kind of fault; the runbook reference lists them all.
    type: str
    required: true
    choices:
      - node_crash
      - node_panic
      - node_reboot
      - node_shutdown
      - process_kill
      - process_stop
      - database_broken
      - network_drop
      - network_loss
      - network_delay
      - network_flap
      - path_cut
      - all_paths_cut
      - storage_slow
      - storage_hang
      - write_error
      - disk_full
      - clock_jump
      - keys_cleared
      - stranger_key
  id:
    description: Name of this one fault on this node; its record, its timer and its rules are called after it.
    type: str
    required: true
  state:
    description:
      - V(injected) arms the timer, injects and proves; where the fault is already active it is only proven again.
      - V(proven) looks whether it is still active and changes nothing.
      - V(healed) undoes it.
    type: str
    choices: [injected, proven, healed]
    default: injected
  parameters:
    description: What this kind needs to know.
    type: dict
    default: {}
  package:
    description: The package whose LUNs, database and file systems are meant.
    type: str
  ttl_seconds:
    description: After this time the node undoes the fault by itself.
    type: float
    default: 120
  at:
    description:
      - When to inject, in seconds of this node's wall clock, so that several nodes lose the same thing at the same moment.
      - Record and timer come before it. Past means at once; one further ahead than five seconds is not waited for.
    type: float
"""

EXAMPLES = r"""
- name: The nodes no longer hear each other
  holdfast.cluster.fault:
    kind: network_drop
    id: split
    parameters: {addresses: [10.20.3.11, 10.20.0.11], peers: [10.20.3.12, 10.20.0.12]}
    ttl_seconds: 60

- name: They hear each other again
  holdfast.cluster.fault:
    kind: network_drop
    id: split
    state: healed
    parameters: {addresses: [10.20.3.11, 10.20.0.11], peers: [10.20.3.12, 10.20.0.12]}
"""

RETURN = r"""
fault:
  description: The fault on this node.
  returned: success
  type: dict
  contains:
    active:
      description: Whether it is active; null where only others can see it (a node that goes down).
      type: bool
    proof:
      description: What was seen.
      type: str
    injected:
      description: When it was injected, seconds of this node's wall clock; null where it is not active.
      type: float
    effect:
      description:
        - With O(state=healed), what had come of it by then; null where the proof at the injection has said it all.
      type: dict
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import HoldfastError
from ..module_utils.faults.base import Context, read_package
from ..module_utils.faults.keeper import Keeper
from ..module_utils.faults.registry import build_fault

# A clock that is wrong must not hold a drill up, nor let the timer run out before the deed.
LONGEST_WAIT_SECONDS = 5.0


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "kind": {"type": "str", "required": True, "choices": KIND_CHOICES},
            "id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["injected", "proven", "healed"], "default": "injected"},
            "parameters": {"type": "dict", "default": {}},
            "package": {"type": "str"},
            "ttl_seconds": {"type": "float", "default": 120},
            "at": {"type": "float"},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module.params, module.check_mode)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    module.exit_json(**result)


# A copy of the registry's names: ansible-doc and the argument spec must be readable without importing the collection.
KIND_CHOICES = [
    "node_crash",
    "node_panic",
    "node_reboot",
    "node_shutdown",
    "process_kill",
    "process_stop",
    "database_broken",
    "network_drop",
    "network_loss",
    "network_delay",
    "network_flap",
    "path_cut",
    "all_paths_cut",
    "storage_slow",
    "storage_hang",
    "write_error",
    "disk_full",
    "clock_jump",
    "keys_cleared",
    "stranger_key",
]


def run(params, check_mode):
    """Do what I(state) says."""
    keeper = Keeper(params["id"])
    fault = build_fault(params["kind"], Context(params["id"], params["parameters"], read_package(params["package"])))
    record = keeper.read()
    fault.memory = dict(record["memory"]) if record else {}
    if params["state"] == "proven":
        return answer(fault, record, changed=False)
    if params["state"] == "healed":
        return heal(fault, keeper, record, check_mode)
    return inject(fault, keeper, record, params["ttl_seconds"], check_mode, params["at"])


def inject(fault, keeper, record, ttl_seconds, check_mode, at=None):
    """First the way back, then the fault; what cannot be injected completely is undone at once."""
    if record or check_mode:
        return answer(fault, record, changed=record is None) if record else planned(fault, "active")
    fault.memory = fault.remember()
    keeper.write({"injected": time.time(), "memory": fault.memory}, fault.heal_commands(), ttl_seconds)
    wait_for_moment(at)
    moment = time.time()  # before the deed, which may be a jump of this clock
    try:
        fault.inject()
    except BaseException:
        keeper.heal(fault.heal_commands())
        raise
    record = {"injected": fault.memory.get("injected", moment), "memory": fault.memory}
    keeper.update(record)
    return answer(fault, record, changed=True)


def wait_for_moment(at):
    """Sleep until then; not at all where it is past or too far ahead to be meant."""
    seconds = 0.0 if at is None else at - time.time()
    if 0.0 < seconds <= LONGEST_WAIT_SECONDS:
        time.sleep(seconds)


def heal(fault, keeper, record, check_mode):
    """Undo, also where no record is left: a reboot forgets the record but not a permission or a filler file."""
    if check_mode:
        return planned(fault, "undone")
    effect = last_effect(fault) if record else None
    keeper.heal(fault.heal_commands())
    result = {"active": False, "proof": "undone", "injected": None, "effect": effect}
    return {"changed": record is not None, "fault": result, "diff": difference(record is not None, False)}


def last_effect(fault):
    """What came of it, where that can be told; a question that fails must not keep the fault in place."""
    try:
        seen = fault.effect()
    except HoldfastError:
        return None
    return None if seen is None else {"seen": seen[0], "words": seen[1]}


def answer(fault, record, changed):
    """The proof, in the shape that every state returns."""
    if record is None:
        return {"changed": False, "fault": {"active": False, "proof": "no record of this fault", "injected": None}}
    active, proof = fault.prove()
    result = {"active": active, "proof": proof, "injected": record["injected"]}
    return {"changed": changed, "fault": result, "diff": difference(not changed, True)}


def planned(fault, word):
    """What check mode says."""
    result = {"active": None, "proof": f"would be {word}", "injected": None}
    return {"changed": True, "fault": result, "diff": difference(word == "undone", word == "active")}


def difference(before, after):
    """For --diff."""
    return {"before": {"active": before}, "after": {"active": after}}


if __name__ == "__main__":
    main()
