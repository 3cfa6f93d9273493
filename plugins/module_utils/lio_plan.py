# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Decides what an array's LIO configuration still lacks. Pure: states in, actions out.

The layout solves one problem: LIO compares a session's ISID with the one of the reservation holder inside an ACL and treats
any other session of the same ACL as unregistered (target_core_pr.c, C(isid_mismatch)), so a node's second path would be
refused under a type 5 reservation. Invariant: one target with one portal group and one portal per storage network, so that
every session of a node has an ACL object of its own.

States are dictionaries:
  aptpl_directory  whether the directory for reservations that survive a restart exists and is written synchronously
  saved            whether the saved configuration equals the running one
  backstores       name -> plugin, path, size (bytes), serial, write_cache
  targets          IQN -> portals, enabled, attributes, luns (name -> number),
                   initiators (IQN -> luns (name -> number), chap, session)
"""

from __future__ import annotations

from copy import deepcopy

from .chap import CHAP_KEYS, MIN_CHAP_SECRET_BYTES
from .definition.identity import lio_serial
from .errors import DefinitionError, RefusedError
from .resource import Action

# Only listed initiators, each with its own secret, and none learnt by the way (LIO: "demo mode" off).
PORTAL_GROUP_ATTRIBUTES = {
    "authentication": "1",
    "cache_dynamic_acls": "0",
    "demo_mode_discovery": "0",
    "generate_node_acls": "0",
    "prod_mode_write_protect": "0",
}
# LIO numbers LUNs of a portal group from 0 to 255 by default (TRANSPORT_MAX_LUNS_PER_TPG).
MAX_LUN_NUMBER = 255


def empty_state():
    """The state of a host on which no target was ever built."""
    return {"aptpl_directory": False, "saved": False, "backstores": {}, "targets": {}}


def target_name(prefix, network):
    """IQN of the target that serves one storage network."""
    return f"{prefix}:{network.replace('_', '-')}"


def build_wanted(cluster, prefix, portals, luns, initiators):
    """The wanted state; raises L(DefinitionError) with all problems of the definition at once.

    I(luns): name, size (bytes), plugin (C(fileio) or C(block)) and path.
    I(initiators): name, luns and chap.
    """
    problems = find_problems(portals, luns, initiators)
    if problems:
        raise DefinitionError(problems)
    return {
        "backstores": {
            lun["name"]: {
                "plugin": lun["plugin"],
                "path": lun["path"],
                "size": lun["size"],
                "serial": lio_serial(cluster, lun["name"]),
                "write_cache": False,
            }
            for lun in luns
        },
        "targets": {
            target_name(prefix, portal["network"]): {
                "portals": [f"{portal['address']}:{portal['port']}"],
                "initiators": {
                    i["name"]: {"luns": list(i["luns"]), "chap": {k: i["chap"][k] for k in CHAP_KEYS}} for i in initiators
                },
            }
            for portal in portals
        },
    }


def find_problems(portals, luns, initiators):
    """Everything that is wrong with a definition, each with its path."""
    names = [lun["name"] for lun in luns]
    problems = _find_repeated("luns", names)
    problems += _find_repeated("portals", [f"{p['address']}:{p['port']}" for p in portals])
    problems += _find_repeated("portals", [p["network"] for p in portals])
    problems += _find_repeated("initiators", [i["name"] for i in initiators])
    for index, initiator in enumerate(initiators):
        problems += [
            f"initiators[{index}].luns: no LUN is called {name}" for name in initiator["luns"] if name not in names
        ]
        problems += _find_chap_problems(f"initiators[{index}].chap", initiator["chap"])
    return problems


def _find_repeated(path, values):
    return [f"{path}[{i}]: {value} is used twice" for i, value in enumerate(values) if value in values[:i]]


def _find_chap_problems(path, chap):
    missing = [f"{path}.{key}: is missing or empty" for key in CHAP_KEYS if not chap.get(key)]
    if missing:
        return missing
    problems = [
        f"{path}.{key}: has fewer than {MIN_CHAP_SECRET_BYTES} characters"
        for key in ("password", "mutual_password")
        if len(chap[key]) < MIN_CHAP_SECRET_BYTES
    ]
    if chap["password"] == chap["mutual_password"]:
        problems.append(f"{path}.mutual_password: must differ from password")
    return problems


def plan_target(before, wanted, cluster, prefix, allow_removal, sessions_may_end=False):
    """Actions that lead from I(before) to I(wanted), in the order in which they are safe.

    I(sessions_may_end) is for check mode, where an earlier task of the same run would have logged the initiators out.
    """
    surplus = find_surplus(before, wanted, cluster, prefix)
    _check_conflicts(before, wanted, cluster)
    actions = [] if before["aptpl_directory"] else [Action("create_aptpl_directory", "of the target, written synchronously")]
    actions += plan_removal(before, surplus, allow_removal, sessions_may_end)
    actions += _plan_backstores(before["backstores"], wanted["backstores"])
    numbers = assign_lun_numbers(before, wanted)
    for iqn in sorted(wanted["targets"]):
        have = before["targets"].get(iqn)
        actions += _plan_target(iqn, have, wanted["targets"][iqn], numbers)
    if actions or not before["saved"]:
        actions.append(Action("save_configuration", "for the next start of the array"))
    return actions


def find_surplus(before, wanted, cluster, prefix):
    """What belongs to this cluster by its name or serial and is no longer wanted; everything else on the array is not ours."""
    targets = {iqn for iqn in before["targets"] if iqn.startswith(prefix + ":") and iqn not in wanted["targets"]}
    backstores = {
        name
        for name, have in before["backstores"].items()
        if name not in wanted["backstores"] and have["serial"] == lio_serial(cluster, name)
    }
    initiators = {
        (iqn, name)
        for iqn, want in wanted["targets"].items()
        for name in before["targets"].get(iqn, {}).get("initiators", {})
        if name not in want["initiators"]
    }
    mapped = {
        (iqn, name, lun)
        for iqn, want in wanted["targets"].items()
        for name, have in before["targets"].get(iqn, {}).get("initiators", {}).items()
        if name in want["initiators"]
        for lun in have["luns"]
        if lun not in want["initiators"][name]["luns"] and lun not in backstores
    }
    return {"targets": targets, "initiators": initiators, "mapped": mapped, "backstores": backstores}


def plan_removal(before, surplus, allow_removal, sessions_may_end=False):
    """Actions that take the surplus away; refused without a yes, and while a session uses what would go."""
    listed = sorted(surplus["targets"]) + sorted(f"{iqn} {name}" for iqn, name in surplus["initiators"])
    listed += sorted(f"{iqn} {name} {lun}" for iqn, name, lun in surplus["mapped"]) + sorted(surplus["backstores"])
    if listed and not allow_removal:
        raise RefusedError(
            "the array still exports what the inventory no longer names: " + ", ".join(listed) + ". "
            "Put it back into the inventory, or allow the removal",
            surplus=listed,
        )
    busy = sorted(
        f"{name} at {iqn}"
        for iqn, target in before["targets"].items()
        for name, initiator in target["initiators"].items()
        if initiator["session"] and (iqn in surplus["targets"] or (iqn, name) in surplus["initiators"])
    )
    if busy and not sessions_may_end:
        raise RefusedError("still logged in: " + ", ".join(busy) + ". Log these initiators out first", sessions=busy)
    actions = [Action("delete_target", iqn) for iqn in sorted(surplus["targets"])]
    actions += [Action("delete_initiator", name, {"target": iqn}) for iqn, name in sorted(surplus["initiators"])]
    actions += [Action("unmap_lun", lun, {"target": t, "initiator": i}) for t, i, lun in sorted(surplus["mapped"])]
    for name in sorted(surplus["backstores"]):
        # Keys first: a LUN of the same name would otherwise be born with the reservations of its predecessor.
        actions += [Action("forget_keys", name), Action("delete_backstore", name)]
    return actions


def _check_conflicts(before, wanted, cluster):
    """Refuse what cannot be changed while the LUN exists, before anything is touched."""
    problems = []
    for name, want in wanted["backstores"].items():
        have = before["backstores"].get(name)
        if have is None or not have["configured"]:
            continue
        if have["serial"] != want["serial"]:
            problems.append(f"backstore {name} exists with serial {have['serial']}: it is not of cluster {cluster}")
        elif (have["plugin"], have["path"]) != (want["plugin"], want["path"]):
            problems.append(f"backstore {name} is {have['plugin']} {have['path']}, not {want['plugin']} {want['path']}")
        elif have["write_cache"]:
            problems.append(f"backstore {name} acknowledges writes from memory; remove it and let it be built again")
        elif want["plugin"] == "fileio" and want["size"] < have["size"]:
            problems.append(f"backstore {name} has {have['size']} bytes; it can grow, not shrink to {want['size']}")
    if problems:
        raise RefusedError("; ".join(problems), problems=problems)


def _plan_backstores(have, wanted):
    actions = []
    for name in sorted(wanted):
        want = wanted[name]
        present = have.get(name)
        if present is not None and not present["configured"]:
            actions.append(Action("delete_backstore", name))
            present = None
        if present is None:
            detail = {key: want[key] for key in ("plugin", "path", "size", "serial")}
            actions.append(Action("create_backstore", name, detail))
        elif want["plugin"] == "fileio" and present["size"] < want["size"]:
            # A block backstore follows its device by itself (bdev_nr_bytes); only a file has a size of its own.
            actions.append(Action("grow_backstore", name, {"size": want["size"], "path": want["path"]}))
    return actions


def assign_lun_numbers(before, wanted):
    """LUN name -> number, the same in every target. Numbers in use stay; new LUNs get the lowest free ones."""
    used = {}
    for iqn in sorted(before["targets"]):
        if iqn in wanted["targets"]:
            used.update(before["targets"][iqn]["luns"])
    numbers = {name: used[name] for name in wanted["backstores"] if name in used}
    free = (n for n in range(MAX_LUN_NUMBER + 1) if n not in used.values())
    for name in wanted["backstores"]:
        if name not in numbers:
            numbers[name] = next(free)
    return numbers


def _plan_target(iqn, have, want, numbers):
    actions = []
    if have is None:
        actions.append(Action("create_target", iqn))
        have = {"portals": [], "enabled": False, "attributes": {}, "luns": {}, "initiators": {}}
    wrong = {k: v for k, v in PORTAL_GROUP_ATTRIBUTES.items() if have["attributes"].get(k) != v}
    if wrong:
        actions.append(Action("set_attributes", iqn, wrong))
    for name in sorted(numbers, key=numbers.get):
        if name not in have["luns"]:
            actions.append(Action("export_lun", name, {"target": iqn, "number": numbers[name]}))
    for name in sorted(want["initiators"]):
        actions += _plan_initiator(iqn, name, have["initiators"].get(name), want["initiators"][name], numbers)
    actions += [Action("delete_portal", p, {"target": iqn}) for p in have["portals"] if p not in want["portals"]]
    actions += [Action("create_portal", p, {"target": iqn}) for p in want["portals"] if p not in have["portals"]]
    if not have["enabled"]:
        actions.append(Action("enable_target", iqn))
    return actions


def _plan_initiator(iqn, name, have, want, numbers):
    actions = []
    if have is None:
        actions.append(Action("create_initiator", name, {"target": iqn}))
        have = {"luns": {}, "chap": {}}
    if have["chap"] != want["chap"]:
        actions.append(Action("set_chap", name, {"target": iqn, **want["chap"]}, secret=True))
    for lun in want["luns"]:
        if lun not in have["luns"]:
            actions.append(Action("map_lun", lun, {"target": iqn, "initiator": name, "number": numbers[lun]}))
    return actions


def expect_target(before, wanted, surplus):
    """The state after the plan, for check mode."""
    after = deepcopy(before)
    numbers = assign_lun_numbers(before, wanted)
    for name in surplus["backstores"]:
        del after["backstores"][name]
    for iqn in surplus["targets"]:
        del after["targets"][iqn]
    after.update(aptpl_directory=True, saved=True)
    for name, want in wanted["backstores"].items():
        size = max(want["size"], before["backstores"].get(name, want)["size"])
        after["backstores"][name] = {**want, "size": size, "configured": True}
    for iqn, want in wanted["targets"].items():
        have = before["targets"].get(iqn, {"initiators": {}, "attributes": {}})
        after["targets"][iqn] = {
            "portals": list(want["portals"]),
            "enabled": True,
            "attributes": {**have["attributes"], **PORTAL_GROUP_ATTRIBUTES},
            "luns": dict(numbers),
            "initiators": {
                name: {
                    "luns": {lun: numbers[lun] for lun in initiator["luns"]},
                    "chap": dict(initiator["chap"]),
                    "session": have["initiators"].get(name, {}).get("session", False),
                }
                for name, initiator in want["initiators"].items()
            },
        }
    return after


def hide_secrets(state):
    """A copy fit for a log or a diff: secrets become a mark that tells only whether one is set."""
    shown = deepcopy(state)
    for target in shown["targets"].values():
        for initiator in target["initiators"].values():
            for key in ("password", "mutual_password"):
                initiator["chap"][key] = "(set)" if initiator["chap"].get(key) else ""
    return shown
