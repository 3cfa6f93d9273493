"""What the array still lacks, from blank host to built array, and what is refused."""

from __future__ import annotations

from copy import deepcopy

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import lio_plan
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import DefinitionError, RefusedError

from .support import described

PREFIX = "iqn.2026-11.lab.holdfast:lab:san1"
A, B = f"{PREFIX}:storage-a", f"{PREFIX}:storage-b"
NODE1, NODE2 = "iqn.2026-11.lab.holdfast:lab:node1", "iqn.2026-11.lab.holdfast:lab:node2"
CHAP = {"username": "n", "password": "secret-of-twelve", "mutual_username": "lab", "mutual_password": "other-of-twelve"}
PORTALS = [
    {"network": "storage_a", "address": "10.20.1.5", "port": 3260},
    {"network": "storage_b", "address": "10.20.2.5", "port": 3260},
]


def lun(name, size=2**30, plugin="fileio"):
    return {"name": name, "size": size, "plugin": plugin, "path": f"/luns/{name}"}


def initiator(name, *luns):
    return {"name": name, "luns": list(luns), "chap": dict(CHAP)}


def wanted(luns=("lock", "data"), initiators=(NODE1, NODE2), **kwargs):
    return lio_plan.build_wanted(
        "lab", PREFIX, PORTALS, [lun(name, **kwargs) for name in luns], [initiator(name, *luns) for name in initiators]
    )


def built(want):
    """The state after a complete run, as check mode foretells it."""
    empty = lio_plan.empty_state()
    return lio_plan.expect_target(empty, want, lio_plan.find_surplus(empty, want, "lab", PREFIX))


def plan(before, want, allow_removal=False):
    return lio_plan.plan_target(before, want, "lab", PREFIX, allow_removal)


def test_blank_host_gets_one_target_per_network_and_portals_open_last():
    actions = described(plan(lio_plan.empty_state(), wanted()))
    assert actions[:3] == [
        "create_aptpl_directory of the target, written synchronously",
        "create_backstore data",
        "create_backstore lock",
    ]
    assert actions[-1] == "save_configuration for the next start of the array"
    for iqn, portal in ((A, "10.20.1.5:3260"), (B, "10.20.2.5:3260")):
        assert (
            actions.index(f"create_target {iqn}")
            < actions.index(f"create_portal {portal}")
            < actions.index(f"enable_target {iqn}")
        )
    assert actions.count(f"create_initiator {NODE1}") == 2
    assert actions.count("map_lun data") == 4


def test_built_array_needs_nothing():
    assert plan(built(wanted()), wanted()) == []


@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        (lambda s: s.update(aptpl_directory=False), ["create_aptpl_directory of the target, written synchronously"]),
        (lambda s: s.update(saved=False), []),
        (lambda s: s["targets"][A].update(enabled=False), [f"enable_target {A}"]),
        (lambda s: s["targets"][A].update(portals=[]), ["create_portal 10.20.1.5:3260"]),
        (lambda s: s["targets"][A]["attributes"].update(authentication="0"), [f"set_attributes {A}"]),
        (
            lambda s: s["targets"][B]["initiators"].pop(NODE2),
            [f"create_initiator {NODE2}", f"set_chap {NODE2}", "map_lun lock", "map_lun data"],
        ),
        (lambda s: s["targets"][B]["initiators"][NODE1]["chap"].update(password="old"), [f"set_chap {NODE1}"]),
        (lambda s: s["backstores"]["data"].update(configured=False), ["delete_backstore data", "create_backstore data"]),
        (lambda s: s["backstores"]["data"].update(size=2**29), ["grow_backstore data"]),
    ],
)
def test_cut_off_or_changed_by_hand_is_repaired_and_saved(damage, repair):
    state = built(wanted())
    damage(state)
    assert described(plan(state, wanted())) == [*repair, "save_configuration for the next start of the array"]


def test_new_lun_gets_the_lowest_free_number_and_old_numbers_stay():
    state = built(wanted(("lock", "data")))
    numbers = lio_plan.assign_lun_numbers(state, wanted(("early", "lock", "data")))
    assert numbers == {"lock": 0, "data": 1, "early": 2}


def test_secrets_never_show():
    text = str(lio_plan.hide_secrets(built(wanted()))) + str([a.describe() for a in plan(lio_plan.empty_state(), wanted())])
    assert CHAP["password"] not in text
    assert CHAP["mutual_password"] not in text


def test_removal_needs_a_yes_and_no_session():
    state = built(wanted())
    less = wanted(("lock",), (NODE1,))
    with pytest.raises(RefusedError, match=r"no longer names.*data"):
        plan(state, less)
    actions = described(plan(state, less, allow_removal=True))
    assert actions[:4] == [f"delete_initiator {NODE2}"] * 2 + ["forget_keys data", "delete_backstore data"]
    state["targets"][A]["initiators"][NODE2]["session"] = True
    with pytest.raises(RefusedError, match="still logged in"):
        plan(state, less, allow_removal=True)
    assert lio_plan.plan_target(state, less, "lab", PREFIX, allow_removal=True, sessions_may_end=True)


def test_absent_takes_only_this_cluster_away():
    state = built(wanted())
    state["backstores"]["theirs"] = {**state["backstores"]["data"], "serial": "of somebody else"}
    state["targets"]["iqn.2003-01.org.other:x"] = deepcopy(state["targets"][A])
    actions = described(plan(state, {"backstores": {}, "targets": {}}, allow_removal=True))
    backstores = ["forget_keys data", "delete_backstore data", "forget_keys lock", "delete_backstore lock"]
    assert actions[:-1] == [f"delete_target {A}", f"delete_target {B}", *backstores]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"serial": "0"}, "is not of cluster lab"),
        ({"path": "/elsewhere"}, "is fileio /elsewhere"),
        ({"write_cache": True}, "acknowledges writes from memory"),
        ({"size": 2**40}, "not shrink"),
    ],
)
def test_what_cannot_change_online_is_refused(change, message):
    state = built(wanted())
    state["backstores"]["data"].update(change)
    with pytest.raises(RefusedError, match=message):
        plan(state, wanted())


def test_all_problems_of_a_definition_come_at_once():
    bad = dict(CHAP, password="short", mutual_password="short")
    with pytest.raises(DefinitionError) as caught:
        lio_plan.build_wanted(
            "lab", PREFIX, [*PORTALS, PORTALS[0]], [lun("a"), lun("a")], [{"name": NODE1, "luns": ["b"], "chap": bad}]
        )
    problems = caught.value.details["problems"]
    assert [p.split(":")[0] for p in problems] == [
        "luns[1]", "portals[2]", "portals[2]", "initiators[0].luns",
        "initiators[0].chap.password", "initiators[0].chap.mutual_password", "initiators[0].chap.mutual_password",
    ]  # fmt: skip
