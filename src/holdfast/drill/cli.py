"""``holdfast drill …``: list, explain, run, history, report, reference."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from holdfast.drill.deadman import Deadman
from holdfast.drill.display import LiveDisplay, PlainDisplay, describe_now
from holdfast.drill.driver import Drill
from holdfast.drill.errors import DrillError, Refused
from holdfast.drill.evidence import make_folder, state_folder
from holdfast.drill.hosts import AnsibleModules
from holdfast.drill.journal import Journal
from holdfast.drill.lock import cluster_lock
from holdfast.drill.observers import Observers
from holdfast.drill.past import read_runs, render_history, summarise
from holdfast.drill.plan import bind_roles, describe_plan, obstacles
from holdfast.drill.power import build_power
from holdfast.drill.runbook.catalogue import Catalogue, UnknownRunbook, load_catalogue
from holdfast.drill.runbook.explain import explain_runbook, list_runbooks
from holdfast.drill.runbook.model import Runbook
from holdfast.drill.runbook.reference import render_reference
from holdfast.drill.site import Site, find_owner, open_site
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import EXIT_CODES, Judgement
from holdfast.drill.verdict.write import write_verdict
from holdfast.lab import LabError
from holdfast.report.render import write_report

PROJECT = Path(__file__).resolve().parents[3]
USAGE = 2


def add_arguments(areas: Any) -> None:
    """Adds `drill` to the command line's areas."""
    drill = areas.add_parser("drill", help="rehearse failures and judge what happened")
    verbs = drill.add_subparsers(dest="verb", required=True, metavar="VERB")
    drill.set_defaults(run=run)
    verbs.add_parser("list", help="all drills, by category").add_argument("--names", action="store_true")
    verbs.add_parser("explain", help="what a drill does and expects").add_argument("name")
    _add_run(verbs.add_parser("run", help="run a drill and judge it"))
    history = verbs.add_parser("history", help="verdicts and outages over time")
    history.add_argument("--evidence", type=Path, help="folder with the evidence of all runs")
    report = verbs.add_parser("report", help="judge an evidence folder again and write its report")
    report.add_argument("folder", type=Path)
    verbs.add_parser("reference", help="print the reference page of the runbooks")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="a runbook, or the name that another product gives the same test")
    parser.add_argument("-i", "--inventory", type=Path, default=PROJECT / "inventories" / "lab")
    parser.add_argument("--lab", metavar="NAME", help="the lab, where the inventory is one (HOLDFAST_LAB)")
    parser.add_argument("--package", help="the package; not needed where there is only one")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and touch nothing")
    parser.add_argument("--step", action="store_true", help="ask before every step of the act")
    parser.add_argument("--plain", action="store_true", help="plain lines, no live view")
    parser.add_argument("--evidence", type=Path, help="folder for the evidence of all runs")
    parser.add_argument("--approve-production", metavar="CLUSTER", help="run on an inventory that says it is production")


def run(arguments: argparse.Namespace) -> int:
    """Exit code: 0 PASS or done, 1 FAIL, 2 UNKNOWN or wrong usage."""
    try:
        return VERBS[arguments.verb](arguments)
    except (DrillError, UnknownRunbook, LabError) as error:
        print(f"holdfast: {error}", file=sys.stderr)
        return USAGE


def _catalogue() -> Catalogue:
    catalogue = load_catalogue([PROJECT / "runbooks"])
    for problem in catalogue.problems:
        print(problem, file=sys.stderr)
    return catalogue


def _list(arguments: argparse.Namespace) -> int:
    catalogue = _catalogue()
    print("\n".join(catalogue.runbooks) if arguments.names else list_runbooks(catalogue))
    return USAGE if catalogue.problems else 0


def _explain(arguments: argparse.Namespace) -> int:
    print(explain_runbook(_catalogue().find(arguments.name)))
    return 0


def _history(arguments: argparse.Namespace) -> int:
    print(render_history(summarise(read_runs(arguments.evidence or state_folder() / "evidence"))))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    history = load_history(arguments.folder)
    judgement = judge(history)
    write_verdict(arguments.folder, history, judgement)
    print(write_report(arguments.folder, history, judgement))
    return EXIT_CODES[judgement.verdict]


def _reference(arguments: argparse.Namespace) -> int:
    print(render_reference(), end="")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    if arguments.lab:
        os.environ["HOLDFAST_LAB"] = arguments.lab
    runbook = _catalogue().find(arguments.name)
    site = open_site(PROJECT, arguments.inventory.resolve(), arguments.package)
    guard_production(site, runbook, arguments.approve_production)
    roles = bind_roles(site.view, find_owner(site))
    if arguments.dry_run:
        print(describe_plan(runbook, site.view, roles))
        return 0
    with cluster_lock(state_folder() / "drill-locks", site.view.cluster, runbook.name):
        judgement, folder = _execute(arguments, runbook, site)
    print(f"\n{judgement.verdict.value}: {runbook.title}")
    for check in judgement.checks:
        if check.verdict.value != "PASS":
            print(f"  {check.verdict.value}: {check.title}: {check.summary}")
    print(f"report: {folder / 'report.html'}")
    return EXIT_CODES[judgement.verdict]


def guard_production(site: Site, runbook: Runbook, approved: str | None) -> None:
    """An inventory that says it is production needs the name of its cluster, typed by a person."""
    if site.view.production and approved != site.view.cluster:
        raise Refused(
            f"this inventory is marked as production (holdfast_production). {runbook.name} causes: {runbook.disruption}. "
            f"Where that is wanted, say --approve-production {site.view.cluster}"
        )


def _execute(arguments: argparse.Namespace, runbook: Runbook, site: Site) -> tuple[Judgement, Path]:
    folder = make_folder(arguments.evidence or state_folder() / "evidence", runbook, site.view.name)
    modules = AnsibleModules(PROJECT, site.inventory, folder / "ansible")
    power = build_power(site.variables, modules)
    reasons = list(obstacles(runbook, site.view, power.abilities()))
    if reasons:
        raise Refused(f"{runbook.name} cannot run here: {'; '.join(reasons)}")
    journal = Journal(folder / "journal.jsonl")
    deadman = Deadman(PROJECT, site.inventory, folder / "ansible")
    observers = Observers(site.shell, site.view, folder)
    roles = bind_roles(site.view, find_owner(site))
    (folder / "inputs" / "runbook.yml").write_text((PROJECT / "runbooks" / f"{runbook.name}.yml").read_text())
    drill = Drill(runbook, site.view, roles, PROJECT, folder, site.shell, modules, power, deadman, journal, observers,
                  ask, arguments.step)  # fmt: skip
    display = _display(arguments, drill)
    journal.listeners.append(display)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return drill.execute(), folder
    finally:
        display.close()
        deadman.farewell()
        observers.stop()
        journal.close()


def _display(arguments: argparse.Namespace, drill: Drill) -> PlainDisplay:
    if arguments.plain or arguments.step or not sys.stdout.isatty():
        return PlainDisplay()
    now = {"name": "", "since": 0.0}

    def follow(entry: dict[str, Any]) -> None:
        if entry["kind"] == "step" and entry["event"] == "start":
            now.update(name=entry["name"], since=entry["t_wall"])

    drill.journal.listeners.append(follow)
    package = drill.view.name
    return LiveDisplay(lambda: describe_now(package, drill.observers.seen(), drill.probe.status, str(now["name"]),
                                            float(str(now["since"]))))  # fmt: skip


def ask(question: str) -> str | None:
    """yes or no from the terminal, None where there is none."""
    if not sys.stdin.isatty():
        return None
    while True:
        answer = input(question).strip().lower()
        if answer in ("yes", "no"):
            return answer


VERBS = {
    "list": _list,
    "explain": _explain,
    "run": _run,
    "history": _history,
    "report": _report,
    "reference": _reference,
}
