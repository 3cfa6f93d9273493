"""docs/reference/playbooks.md: what each playbook is for, from its opening comment, and what it can be told."""

from __future__ import annotations

import re
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any

import yaml

from holdfast.docs.reference.markdown import code, fence, page, table

_ABOUT = """Run them from the checkout, with the tools in `.venv/bin`: `ansible-playbook -i INVENTORY playbooks/NAME.yml`.
Those that build or change take `--check --diff`. None is needed for a takeover: the agents do that by themselves."""
_ROLE_TASKS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
_OPTION = re.compile(r"-e [a-z_]+=[\w|]+|--check|ansible-playbook playbooks/\S+( --\w+)*")
_VARIABLES: dict[str, dict[str, str]] = {
    "deploy_packages": {
        "package_allowed_change": "How far a run may go with a package that runs: `stays` (default), `reconnects`, `restarts`, "
        "`moves`, `stops`. Beyond that it is refused before anything changes.",
    },
    "maintain_package": {"package": "Name of the package.", "maintenance": "`on` or `off`."},
    "recover_node": {"node": "The node that is to take part again."},
    "remove_cluster": {"remove_cluster": "The name of the cluster: the explicit yes."},
    "remove_erp": {"remove_erp": "The name of the instance, `erp` where none was given: the explicit yes."},
    "run_drill": {
        "drill_name": "The runbook.",
        "drill_package": "The package, where there is more than one.",
        "drill_evidence": "Folder for the evidence; default `evidence` where ansible-playbook is called.",
        "drill_load": "Connections of pgbench as background load; 0 is none.",
        "drill_integrity": "Let the database's own tools look for damage at the end.",
        "drill_approve_production": "Name of the cluster, where the inventory is marked as production.",
    },
    "show_packages": {"show_packages_file": "Write the state as JSON to this file."},
    "start_package": {"package": "Name of the package."},
    "stop_package": {"package": "Name of the package."},
    "switch_package": {
        "package": "Name of the package.",
        "node": "Node to move it to.",
        "without_poolers": "`true` moves although a pooler cannot be paused; its clients see errors.",
        "longest_transaction_seconds": "Refuse while a transaction has been open for longer; without it none is in the way.",
        "wait_seconds": "With that, wait so long for such a transaction to end, and refuse only then.",
    },
    "validate_site": {
        "validate_site_only": "Categories or names of tests; default all.",
        "validate_site_directory": "Where the reports go; default `evidence` where ansible-playbook is called.",
        "validate_site_packages": "Distribution packages whose versions must be equal on all nodes.",
        "validate_site_units": "Units that must not be enabled.",
    },
}


def render_playbooks(root: Path) -> str:
    """The whole page."""
    files = sorted(root.glob("playbooks/*.yml"))
    index = table(("Playbook", "What it does"), [(f"[{path.stem}](#{path.stem})", _purpose(path)) for path in files])
    return page("Playbooks", "`playbooks/*.yml`", _ABOUT, index, *(_section(path) for path in files))


def _purpose(path: Path) -> str:
    """The first sentence of the comment that opens a playbook; a title of a word or two, or an option, is none."""
    words = " ".join(line for line in _comment(path) if not line.startswith(" "))
    pieces = re.split(r"(?<=\w)[.:](?= |$)", words)
    return next((f"{piece.strip()}." for piece in pieces if piece.count(" ") > 1 and not piece.strip().startswith("-")), words)


def _comment(path: Path) -> list[str]:
    """The lines of the opening comment; one that is set in keeps a blank in front."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    opening = list(takewhile(lambda line: line.startswith("#"), lines))
    return [line[1:].removeprefix(" ").rstrip() for line in opening]


def _description(path: Path) -> str:
    """The opening comment as Markdown: options as code, lines that are set in as a block."""
    parts: list[str] = []
    for set_in, group in groupby(_comment(path), key=lambda line: line.startswith(" ")):
        text = [line.strip() for line in group]
        parts.append(fence("\n".join(text)) if set_in else _OPTION.sub(r"`\g<0>`", " ".join(text)))
    return "\n\n".join(parts)


def _section(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    plays: list[dict[str, Any]] = yaml.safe_load(text)
    steps = table(("Play", "Hosts", "Roles"), [_play(play) for play in plays])
    known = _VARIABLES.get(path.stem, {})
    variables = table(("Variable (`-e`)", "Meaning"), [(code(name), words) for name, words in known.items()]) if known else ""
    return "\n\n".join(part for part in (f"## {path.stem}", _description(path), variables, steps) if part)


def _play(play: dict[str, Any]) -> tuple[str, str, str]:
    imported = play.get("ansible.builtin.import_playbook")
    tasks = [task for task in play.get("tasks") or [] if isinstance(task, dict)]
    named = [role["role"] for role in play.get("roles") or []]
    named += [task[key]["name"] for task in tasks for key in _ROLE_TASKS if key in task]
    roles = ", ".join(code(name.removeprefix("holdfast.cluster.")) for name in dict.fromkeys(named) if "{{" not in name)
    return str(play["name"]), code(play.get("hosts", "")), roles or (f"imports {code(imported)}" if imported else "")


def told_variables() -> dict[str, dict[str, str]]:
    """The variables that the page tells, for the test that looks for them in the playbooks."""
    return _VARIABLES
