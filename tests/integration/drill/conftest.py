"""A cluster for drills: the lab named in HOLDFAST_DRILLS_LAB, built already, or one of its own that is deleted at the end."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.demo.playbook import run_playbook
from holdfast.drill.driver import Drill
from holdfast.drill.launch import PROJECT, assembled, find_site, hold_cluster, keep_input, prepare
from holdfast.drill.plan import bind_roles
from holdfast.drill.runbook.catalogue import Catalogue, load_catalogue
from holdfast.drill.site import find_owner
from holdfast.drill.verdict.result import Judgement
from holdfast.lab import Lab
from holdfast.lab.topology import load_topology

NAME = "drills"
Sabotage = Callable[[Drill], None]


@pytest.fixture(scope="session")
def lab_name(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its name; the cluster in it is built and serves."""
    given = os.environ.get("HOLDFAST_DRILLS_LAB")
    if given:
        yield given
        return
    lab = Lab(NAME)
    lab.down(delete=True)
    try:
        lab.up(load_topology("default"))
        for playbook in ("build_cluster", "deploy_packages"):
            run_playbook(playbook, NAME, tmp_path_factory.getbasetemp() / f"{playbook}.log", lambda text: None)
        yield NAME
    finally:
        lab.down(delete=True)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue([PROJECT / "runbooks"])


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the evidence of all runs is; HOLDFAST_DRILLS_EVIDENCE keeps it."""
    return Path(os.environ.get("HOLDFAST_DRILLS_EVIDENCE") or tmp_path_factory.mktemp("evidence"))


@pytest.fixture
def play(lab_name: str, catalogue: Catalogue, evidence: Path) -> Callable[..., Judgement]:
    """Run a drill as the command line does; `sabotage` may break something behind its back first."""

    def run(name: str, sabotage: Sabotage = lambda drill: None) -> Judgement:
        arguments = words(lab_name, evidence)
        site = find_site(arguments)
        runbook = catalogue.find(name)
        with hold_cluster(site, name):
            ground = prepare(site, arguments, name)
            keep_input(ground, runbook)
            with assembled(ground, arguments, bind_roles(site.view, find_owner(site)), Drill, runbook=runbook) as drill:
                sabotage(drill)
                return drill.execute()

    return run


def words(lab: str, evidence: Path, **more: Any) -> Namespace:
    """Arguments as the command line would have parsed them."""
    return Namespace(inventory=PROJECT / "inventories" / "lab", lab=lab, package=None, plain=True, evidence=evidence,
                     approve_production=None, dry_run=False, step=False, load=None, load_rate=0.0, integrity=False,
                     **more)  # fmt: skip
