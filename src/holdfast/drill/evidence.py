"""The evidence folder: where it is, what it begins with, how a run is described."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from holdfast import __version__
from holdfast.drill.checkout import ask_git
from holdfast.drill.plan import Roles
from holdfast.drill.runbook.model import Runbook
from holdfast.drill.view import ClusterView

DIGEST_LENGTH = 12
SUBFOLDERS = ("probe", "erp", "samples", "events", "logs", "reservations", "state", "ansible", "inputs")


def state_folder() -> Path:
    """Where the state of this user's labs and drills lives (XDG Base Directory Specification)."""
    base = os.environ.get("HOLDFAST_STATE") or os.environ.get("XDG_STATE_HOME")
    if os.environ.get("HOLDFAST_STATE"):
        return Path(str(base))
    return Path(base or Path.home() / ".local" / "state") / "holdfast"


def make_folder(root: Path, name: str, package: str) -> Path:
    """A new folder, named so that a listing is a history."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder = root / f"{stamp}-{name}-{package}"
    for name in SUBFOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def describe_run(runbook: Runbook, view: ClusterView, roles: Roles, project: Path, probe: dict[str, Any]) -> dict[str, Any]:
    """run.json: all that is known before the first thing happens."""
    return {
        "schema": 1,
        "runbook": runbook.name,
        "title": runbook.title,
        "purpose": runbook.purpose,
        "category": runbook.category,
        "expect": asdict(runbook.expect),
        "faults_declared": sum(len(roles.hosts(f.target)) for f in runbook.faults),
        "steps": [step.name for step in runbook.steps],
        **describe_site(view, roles, project, probe),
    }


def describe_site(view: ClusterView, roles: Roles, project: Path, probe: dict[str, Any]) -> dict[str, Any]:
    """The part that does not depend on what is played."""
    return {
        "started": time.time(),
        "cluster": view.cluster,
        "package": view.name,
        "digest": view.digest[:DIGEST_LENGTH],
        "addresses": list(view.addresses),
        "objectives": dict(view.package.get("objectives", {})),
        "roles": roles.as_mapping(),
        "node_ids": dict(view.node_ids),
        "macs": {},
        "clocks": {},
        "versions": {"holdfast": __version__},
        "git": git_revision(project),
        "user": getpass.getuser(),
        "controller": os.uname().nodename,
        "command_line": ["holdfast", *sys.argv[1:]],
        "probe": probe,
    }


def git_revision(project: Path) -> dict[str, Any]:
    """Revision of the checkout; empty where it is none."""
    code, revision = ask_git(project, "rev-parse", "HEAD")
    changed = ask_git(project, "status", "--porcelain", "--untracked-files=no")[1] if code == 0 else ""
    return {"revision": revision if code == 0 else "", "dirty": bool(changed)}


def write_json(path: Path, value: Any) -> None:
    """A document of the evidence, indented for people."""
    path.write_text(json.dumps(value, indent=1) + "\n")
