"""The CI examples parse, and every command that they call exists with the options that they give it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli import build_parser
from holdfast.drill.runbook.catalogue import load_catalogue
from holdfast.drill.verdict import write

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "ci"
NAMES = ("github-workflow.yml", "gitlab-ci.yml")


def read(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((EXAMPLES / name).read_text())
    return document


def lines(name: str) -> list[str]:
    """All shell lines of an example."""
    document = read(name)
    if name == "gitlab-ci.yml":
        job = document["failover-drill"]
        return [part for key in ("before_script", "script", "after_script") for line in job[key] for part in line.split(" && ")]
    steps = document["jobs"]["drill"]["steps"]
    return [part for step in steps for line in step.get("run", "").splitlines() for part in line.split(" && ")]


def words(line: str) -> list[str]:
    return shlex.split(re.sub(r">.*", "", line))


def calls(name: str, program: str) -> list[list[str]]:
    return [words(line)[1:] for line in lines(name) if line.startswith(program)]


def test_there_are_no_others() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_call_of_holdfast_parses(name: str) -> None:
    asked = calls(name, "./holdfast")
    assert len(asked) == 5
    for call in asked:
        arguments = build_parser().parse_args(call)
        if call[:2] == ["drill", "run"]:
            assert arguments.name in load_catalogue([ROOT / "runbooks"]).runbooks


@pytest.mark.parametrize("name", NAMES)
def test_every_playbook_exists(name: str) -> None:
    called = [call[-1] for call in calls(name, ".venv/bin/ansible-playbook")]
    assert called == [f"playbooks/{book}.yml" for book in ("resolve_site", "build_cluster", "deploy_packages")]
    assert all((ROOT / book).is_file() for book in called)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_other_command(name: str) -> None:
    known = {"./holdfast", ".venv/bin/ansible-playbook", "apt-get", "git", "cd", "printf", "cat"}
    assert {words(line)[0] for line in lines(name)} <= known


@pytest.mark.parametrize("name", NAMES)
def test_what_is_published_is_what_a_drill_writes(name: str) -> None:
    written = Path(write.__file__).read_text()
    text = (EXAMPLES / name).read_text()
    assert "holdfast/evidence" in text
    for file in set(re.findall(r"evidence/\*/([a-z.]+)", text)):
        assert f'"{file}"' in written


# What GitHub documents for a workflow, a job and a step ("Workflow syntax for GitHub Actions"), as far as it is used.
WORKFLOW = {"name", "on", "permissions", "env", "jobs"}
JOB = {"runs-on", "container", "timeout-minutes", "defaults", "steps"}
STEP = {"name", "uses", "with", "run", "env", "if", "working-directory"}


def test_the_workflow_is_one_that_github_takes() -> None:
    document = read("github-workflow.yml")
    assert {"on" if key is True else key for key in document} == WORKFLOW  # YAML 1.1 reads on as true
    (job,) = document["jobs"].values()
    assert set(job) == JOB
    for step in job["steps"]:
        assert set(step) <= STEP and ("uses" in step) != ("run" in step), step
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))
        assert set(step) & {"with", "env", "if", "working-directory"} <= ({"with", "if"} if "uses" in step else STEP - {"with"})
    expressions = re.findall(r"\$\{\{\s*(.*?)\s*\}\}", (EXAMPLES / "github-workflow.yml").read_text())
    assert expressions == ["secrets.SITE_VAULT_PASSWORD"]


def test_the_folders_that_are_used_are_those_that_were_taken() -> None:
    steps = read("github-workflow.yml")["jobs"]["drill"]["steps"]
    taken = [step["with"]["path"] for step in steps if "checkout" in step.get("uses", "")]
    assert taken == ["site", "holdfast"]
    used = set(re.findall(r"\.\./(\w+/\w+)", " ".join(lines("github-workflow.yml"))))
    assert used == {"site/inventory", "site/rehearsal"}
    assert set(re.findall(r"\.\./(\w+)", " ".join(lines("gitlab-ci.yml")))) == {"inventory", "rehearsal"}


def test_settings_are_read_in_a_folder_that_anybody_may_write() -> None:
    """As GitLab's runner makes it (umask 0); Ansible ignores an ansible.cfg there that is not named."""
    job = read("gitlab-ci.yml")["failover-drill"]
    assert job["variables"]["ANSIBLE_CONFIG"] == "$CI_PROJECT_DIR/holdfast/ansible.cfg"
    assert "cd holdfast" in job["before_script"]


def test_the_release_is_this_version() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    checkout = [step["with"] for step in read("github-workflow.yml")["jobs"]["drill"]["steps"] if "ref" in step.get("with", {})]
    assert [step["ref"] for step in checkout] == [f"v{version}"]
    assert read("gitlab-ci.yml")["failover-drill"]["variables"]["HOLDFAST_RELEASE"] == f"v{version}"
