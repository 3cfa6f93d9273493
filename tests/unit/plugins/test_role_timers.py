"""Times that a role has to know are the ones that the agent's timers are checked with."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
import yaml
from holdfast_agent.core.timers import PROFILES

DEFAULTS = Path(__file__).parents[3] / "roles/virtual_address/defaults/main.yml"


@pytest.mark.parametrize("profile", PROFILES)
def test_advertisement_interval_of_the_role_is_the_agents(profile: str) -> None:
    template = yaml.safe_load(DEFAULTS.read_text())["virtual_address_advert_seconds"]
    site = {"cluster": {"profile": profile}}
    assert float(jinja2.Template(template).render(holdfast_site=site)) == PROFILES[profile].vrrp_advert
