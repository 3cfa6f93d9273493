"""``holdfast drill …``: list, explain, run, campaign, resume, history, report, reference."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from holdfast.drill.errors import DrillError
from holdfast.drill.evidence import DIGEST_LENGTH, state_folder
from holdfast.drill.launch import PROJECT, find_site, judge_again, resume_run, run_campaign, run_drill, site_obstacles
from holdfast.drill.past import Present, look_at_code, read_runs, render_history, render_runs, summarise
from holdfast.drill.runbook.catalogue import Catalogue, UnknownRunbook, load_catalogue
from holdfast.drill.runbook.explain import explain_runbook, list_runbooks
from holdfast.drill.runbook.reference import render_reference
from holdfast.drill.verdict.result import EXIT_CODES
from holdfast.lab import LabError

USAGE = 2


def add_arguments(areas: Any) -> None:
    """Adds `drill` to the command line's areas."""
    drill = areas.add_parser("drill", help="rehearse failures and judge what happened")
    verbs = drill.add_subparsers(dest="verb", required=True, metavar="VERB")
    drill.set_defaults(run=run)
    listing = verbs.add_parser("list", help="all drills, by category")
    listing.add_argument("--names", action="store_true", help="only their names")
    listing.add_argument("-i", "--inventory", type=Path, help="say of each drill whether this site can run it, and why not")
    listing.add_argument("--lab", metavar="NAME", help="the lab, where the inventory is one (HOLDFAST_LAB)")
    listing.add_argument("--package", help="the package; not needed where there is only one")
    verbs.add_parser("explain", help="what a drill does and expects").add_argument("name")
    _add_run(verbs.add_parser("run", help="run a drill and judge it"))
    _add_campaign(verbs.add_parser("campaign", help="random faults, one after another and some at once"))
    _add_resume(verbs.add_parser("resume", help="take up a run whose controller died, or a campaign that paused"))
    history = verbs.add_parser("history", help="verdicts and outages over time")
    history.add_argument("name", nargs="?", help="every run of this drill, instead of one line per drill")
    history.add_argument("--evidence", type=Path, help="folder with the evidence of all runs")
    history.add_argument("-i", "--inventory", type=Path, help="ask this site's nodes whether the definition has changed since")
    history.add_argument("--lab", metavar="NAME", help="the lab, where the inventory is one (HOLDFAST_LAB)")
    history.add_argument("--package", help="the package; not needed where there is only one")
    history.add_argument("--json", action="store_true", help="for programs")
    report = verbs.add_parser("report", help="judge an evidence folder again and write its report")
    report.add_argument("folder", type=Path, help="its evidence")
    verbs.add_parser("reference", help="print the reference page of the runbooks")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="a runbook, or the name that another product gives the same test")
    _add_site(parser)
    parser.add_argument("--step", action="store_true", help="ask before every step of the act")


def _add_strain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--load", type=_count, metavar="CLIENTS", help="background load: pgbench with so many connections")
    parser.add_argument("--load-rate", type=float, default=0.0, metavar="TPS",
                        help="its transactions per second at most (default: as fast as the database answers)")  # fmt: skip
    parser.add_argument("--integrity", action="store_true", help="at the end, let the database's own tools look for damage: "
                        "pg_amcheck and the checksum of every page")  # fmt: skip


def _add_campaign(parser: argparse.ArgumentParser) -> None:
    _add_site(parser)
    parser.add_argument("--seed", type=int, default=1, help="decides every fault; the same seed gives the same campaign")
    parser.add_argument("--faults", type=_count, default=200, help="how many, proven to have been active (default 200)")
    parser.add_argument("--limit-seconds", type=float, default=300.0, help="in service again after a fault (default 300)")
    parser.add_argument("--checkpoint-every", type=_count, default=10, metavar="ROUNDS", help="judge what there is (default 10)")
    parser.add_argument("--minutes", type=float, help="pause when they are over; go on with `holdfast drill resume FOLDER`")
    parser.add_argument("--step", action="store_true", help="ask before every fault")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="its evidence")
    parser.add_argument("--minutes", type=float, help="of a campaign: pause again when they are over")
    _add_approval(parser)
    parser.add_argument("--plain", action="store_true", help="plain lines, no live view")


def _add_site(parser: argparse.ArgumentParser) -> None:
    inventory = PROJECT / "inventories" / "lab"
    parser.add_argument("-i", "--inventory", type=Path, default=inventory, help="inventory of the site (default: the lab's)")
    parser.add_argument("--lab", metavar="NAME", help="the lab, where the inventory is one (HOLDFAST_LAB)")
    parser.add_argument("--package", help="the package; not needed where there is only one")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and touch nothing")
    parser.add_argument("--plain", action="store_true", help="plain lines, no live view")
    parser.add_argument("--evidence", type=Path, help="folder for the evidence of all runs")
    _add_approval(parser)
    _add_strain(parser)


def _add_approval(parser: argparse.ArgumentParser) -> None:
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
    reasons = site_obstacles(arguments, catalogue) if arguments.inventory else None
    print("\n".join(catalogue.runbooks) if arguments.names else list_runbooks(catalogue, reasons))
    return USAGE if catalogue.problems else 0


def _explain(arguments: argparse.Namespace) -> int:
    print(explain_runbook(_catalogue().find(arguments.name)))
    return 0


def _history(arguments: argparse.Namespace) -> int:
    runs = read_runs(arguments.evidence or state_folder() / "evidence")
    if arguments.name:
        runs = [run for run in runs if run.runbook == arguments.name]
        print(render_runs(runs))
        return 0
    digests = {}
    if arguments.inventory:
        view = find_site(arguments).view
        digests = {view.name: view.digest[:DIGEST_LENGTH]}
    texts = {file.stem: file.read_text() for file in (PROJECT / "runbooks").glob("*.yml")}
    rows = summarise(runs, Present(digests, texts, look_at_code(PROJECT)))
    print(json.dumps(rows, indent=1) if arguments.json else render_history(rows))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    judgement = judge_again(arguments.folder)
    print(arguments.folder / "report.html")
    return EXIT_CODES[judgement.verdict]


def _reference(arguments: argparse.Namespace) -> int:
    print(render_reference(), end="")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    return run_drill(arguments, _catalogue())


def _campaign(arguments: argparse.Namespace) -> int:
    return run_campaign(arguments, _catalogue())


def _resume(arguments: argparse.Namespace) -> int:
    return resume_run(arguments, _catalogue())


VERBS = {
    "list": _list,
    "explain": _explain,
    "run": _run,
    "campaign": _campaign,
    "resume": _resume,
    "history": _history,
    "report": _report,
    "reference": _reference,
}
