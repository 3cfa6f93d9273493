"""Every role has the same parts, and they say the same."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.docs.reference.roles import read_specs

ROLES = Path(__file__).parents[3] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if (path / "tasks").is_dir())
SYSTEMS = {"debian_12": "bookworm", "debian_13": "trixie"}
# What else than Debian 12 and 13 a role can do, and why; its README says it.
ONLY = {"erp_tryton": ["debian_13"]}  # Debian 12 carries another Tryton
# What a role reads that is the site's own and not an option of a role.
SITE = re.compile(r"holdfast_[a-z_]+|ansible_[a-z_]+")


def read(role: str, file: str) -> Any:
    return yaml.safe_load((ROLES / role / file).read_text())


def options(role: str) -> dict[str, Any]:
    entries = read_specs(ROLES / role / "meta/argument_specs.yml").values()
    return {name: option for entry in entries for name, option in entry.get("options", {}).items()}


def readme(role: str) -> str:
    return (ROLES / role / "README.md").read_text()


def found_plays(example: Any) -> list[dict[str, Any]]:
    """An example may also be a piece of a definition, which is no list of plays."""
    return example if isinstance(example, list) else []


def example_values(role: str) -> list[dict[str, Any]]:
    """Variables that the README's examples give the role, one dict for each time that it is used."""
    found = []
    for block in re.findall(r"```yaml\n(.*?)```", readme(role), re.DOTALL):
        for play in found_plays(yaml.safe_load(block)):
            for used in play.get("roles", []):
                if used.get("role") == f"holdfast.cluster.{role}":
                    found.append({**play.get("vars", {}), **used.get("vars", {})})
            for task in play.get("tasks", []):
                if task.get("ansible.builtin.import_role", {}).get("name") == f"holdfast.cluster.{role}":
                    found.append({**play.get("vars", {}), **task.get("vars", {})})
    return found


@pytest.mark.parametrize("role", NAMES)
@pytest.mark.parametrize("file", ["README.md", "defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml",
                                  "tasks/preflight.yml"])
def test_every_role_has_it(role: str, file: str) -> None:
    assert (ROLES / role / file).is_file()


@pytest.mark.parametrize("role", NAMES)
def test_the_readme_has_an_example_that_fits_the_options(role: str) -> None:
    assert readme(role).startswith(f"# {role}\n")
    values = example_values(role)
    assert values, "no example uses the role by its full name"
    for given in values:
        others = set(given) - set(options(role))
        assert {name for name in others if not SITE.fullmatch(name) and f"{{{{ {name}" not in str(given)} == set()


@pytest.mark.parametrize("role", NAMES)
def test_it_says_on_which_systems_it_runs(role: str) -> None:
    about = read(role, "meta/main.yml")
    releases = [SYSTEMS[name] for name in ONLY.get(role, SYSTEMS)]
    assert about["galaxy_info"]["platforms"] == [{"name": "Debian", "versions": releases}]
    assert about["galaxy_info"]["license"] == "Apache-2.0"
    assert about["dependencies"] == []


@pytest.mark.parametrize("role", NAMES)
def test_what_differs_between_systems_is_one_file_for_each(role: str) -> None:
    files = [ROLES / role / "vars" / f"{system}.yml" for system in ONLY.get(role, SYSTEMS)]
    if not any(file.exists() for file in files):
        assert "no `vars/` file per system" in readme(role), "the README says why there is none"
        return
    first, *others = (yaml.safe_load(file.read_text()) for file in files)
    assert all(set(first) == set(other) for other in others)
    assert all(name.startswith(f"{role}_system_") for name in first)


@pytest.mark.parametrize("role", NAMES)
def test_defaults_and_argument_specs_agree(role: str) -> None:
    described = options(role)
    defaults = read(role, "defaults/main.yml") or {}
    assert defaults == {name: option["default"] for name, option in described.items() if "default" in option}
    assert all(option.get("required") for name, option in described.items() if name not in defaults)


@pytest.mark.parametrize("role", NAMES)
def test_no_default_of_a_spec_is_filled_in_while_the_spec_is_read(role: str) -> None:
    """Ansible would do it, also where the option is given: a role used without a resolved site would fail."""
    lines = (ROLES / role / "meta/argument_specs.yml").read_text().splitlines()
    folded = ("default: >-", "default: |")
    templates = [
        line for line, following in itertools.pairwise(lines)
        if "default:" in line and "{{" in line + (following if line.strip() in folded else "")
    ]
    assert [line for line in templates if "default: !unsafe " not in line] == []


@pytest.mark.parametrize("role", NAMES)
def test_options_carry_the_name_of_the_role(role: str) -> None:
    assert all(name.startswith(f"{role}_") for name in options(role))


@pytest.mark.parametrize("role", NAMES)
def test_every_entry_point_is_a_task_file(role: str) -> None:
    for name, entry in read_specs(ROLES / role / "meta/argument_specs.yml").items():
        assert (ROLES / role / "tasks" / f"{name}.yml").is_file()
        assert entry["short_description"]
