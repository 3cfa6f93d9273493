"""LUNs that do not fit on their array are told with their path, beside every other problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.inventory import Inventory
from ansible_collections.holdfast.cluster.plugins.module_utils.definition.resolve import resolve_site
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import DefinitionError

MIB, GIB = 2**20, 2**30


def problems(definitions: dict[str, Any], inventory: Inventory, files: int | None, **devices: dict[str, Any]) -> list[str]:
    capacity = {"files": {"place": "/dev/vdb", "bytes": files}, "devices": devices}
    hosts = {**inventory.hosts, "san1": replace(inventory.hosts["san1"], capacity=capacity)}
    try:
        resolve_site(definitions, replace(inventory, hosts=hosts))
    except DefinitionError as error:
        return list(error.details["problems"])
    return []


def test_luns_that_fit_together_are_no_problem(definitions, inventory) -> None:
    assert problems(definitions, inventory, 8 * GIB + 128 * MIB) == []


def test_the_lun_with_which_it_is_too_much_is_named(definitions, inventory) -> None:
    assert problems(definitions, inventory, 8 * GIB) == [
        "holdfast_luns[3].size: /dev/vdb of san1 is too small: its LUNs need 8320 MiB, 8192 MiB fit"
    ]


def test_it_is_told_together_with_everything_else(definitions, inventory) -> None:
    definitions["holdfast_cluster"]["profile"] = "quick"
    assert len(problems(definitions, inventory, 1 * GIB)) == 2


def test_a_disk_that_is_not_there_is_told(definitions, inventory) -> None:
    assert problems(definitions, inventory, None) == ["san1.iscsi_target_disk: /dev/vdb is not a block device there"]


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ({"erp-data": {"path": "/dev/vdc", "bytes": 4 * GIB}}, []),
        ({"erp-data": {"path": "/dev/vdc", "bytes": 2 * GIB}},
         ["holdfast_luns[1].size: /dev/vdc of san1 is too small: it has 2048 MiB"]),
        ({"erp-data": {"path": "/dev/vdx", "bytes": None}},
         ["san1.iscsi_target_lun_devices.erp-data: /dev/vdx is not a block device there"]),
        ({"erp-old": {"path": "/dev/vdc", "bytes": GIB}},
         ["san1.iscsi_target_lun_devices.erp-old: no LUN of san1 is called that"]),
    ],
)  # fmt: skip
def test_a_lun_that_is_a_device_needs_no_room_among_the_files(device, expected, definitions, inventory) -> None:
    files = 4 * GIB + 128 * MIB if "erp-data" in device else 9 * GIB
    assert problems(definitions, inventory, files, **device) == expected


def test_luns_of_other_arrays_take_no_room(definitions, inventory) -> None:
    for number, lun in enumerate(definitions["holdfast_luns"][:2]):
        lun["wwid"] = f"3600140500000000000000000000000a{number}"
    assert problems(definitions, inventory, 4 * GIB + 64 * MIB) == []
