"""The initiator's package list covers the roles that rely on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"


def packages(role: str, system: str) -> set[str]:
    return set(yaml.safe_load((ROLES / role / "vars" / f"{system}.yml").read_text())[f"{role}_system_packages"])


@pytest.mark.parametrize("system", ["debian_12", "debian_13"])
@pytest.mark.parametrize("role", ["multipath", "shared_volume"])
def test_one_package_run_is_enough(role, system):
    assert packages(role, system) <= packages("iscsi_initiator", system)
