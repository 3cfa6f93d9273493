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
from holdfast.verbs import add_verb

USAGE = 2
DRILL_NAME = "as `holdfast drill list` names it, or as another product names the same test"
JUDGED = "Exit code: 0 PASS, 1 FAIL, 2 UNKNOWN, refused or wrong usage."


def add_arguments(areas: Any) -> None:
    """Adds `drill` to the command line's areas."""
    drill = add_verb(areas, "drill", "rehearse failures and judge what happened")
    verbs = drill.add_subparsers(dest="verb", required=True, metavar="VERB")
    drill.set_defaults(run=run)
    listing = add_verb(verbs, "list", "all drills, by category")
    listing.add_argument("--names", action="store_true", help="only their names")
    listing.add_argument("-i", "--inventory", type=Path, help="say of each drill whether this site can run it, and why not")
    _add_package(listing)
    explain = add_verb(verbs, "explain", "what a drill does and expects")
    explain.add_argument("name", metavar="NAME", help=DRILL_NAME)
    _add_run(add_verb(verbs, "run", "run a drill and judge it", JUDGED))
    _add_campaign(add_verb(verbs, "campaign", "random faults, one after another and some at once", JUDGED))
    _add_resume(add_verb(verbs, "resume", "take up a run whose controller died, or a campaign that paused", JUDGED))
    history = add_verb(verbs, "history", "verdicts and outages over time")
    history.add_argument("name", nargs="?", metavar="NAME", help="every run of this drill, instead of one line per drill")
    _add_evidence(history)
    history.add_argument("-i", "--inventory", type=Path, help="ask this site's nodes whether the definition has changed since")
    _add_package(history)
    history.add_argument("--json", action="store_true", help="print as JSON")
    report = add_verb(verbs, "report", "judge an evidence folder again and write its report", JUDGED)
    report.add_argument("folder", type=Path, metavar="FOLDER", help="its evidence")
    add_verb(verbs, "reference", "print the reference page of the runbooks")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=DRILL_NAME)
    _add_site(parser)
    parser.add_argument("--step", action="store_true", help="ask before every step of the act")


def _add_strain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--load", type=_count, metavar="CLIENTS", help="background load: pgbench with so many connections "
                        "(default: none)")
    parser.add_argument("--load-rate", type=float, default=0.0, metavar="TPS",
                        help="its transactions per second at most (default: as fast as the database answers)")
    parser.add_argument("--integrity", action="store_true", help="at the end, let the database's own tools look for damage: "
                        "pg_amcheck and the checksum of every page")


def _add_campaign(parser: argparse.ArgumentParser) -> None:
    _add_site(parser)
    parser.add_argument("--seed", type=int, default=1, metavar="N",
                        help="decides every fault; the same seed gives the same campaign (default: 1)")
    parser.add_argument("--faults", type=_count, default=200, metavar="N",
                        help="end when so many were proven to have been active (default: 200)")
    parser.add_argument("--limit-seconds", type=float, default=300.0, metavar="SECONDS",
                        help="fail where the package is not in service so soon after a round's faults (default: 300)")
    parser.add_argument("--checkpoint-every", type=_count, default=10, metavar="ROUNDS",
                        help="judge all records after so many rounds (default: 10)")
    parser.add_argument("--minutes", type=float, metavar="MINUTES", help="pause after the round in which they are over "
                        "(default: go on to the end); take it up with `holdfast drill resume FOLDER`")
    parser.add_argument("--step", action="store_true", help="ask before every fault")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="its evidence")
    parser.add_argument("--minutes", type=float, metavar="MINUTES", help="of a campaign: pause again after the round in which "
                        "they are over (default: go on to the end)")
    _add_approval(parser)
    parser.add_argument("--plain", action="store_true", help="plain lines, no live view")


def _add_site(parser: argparse.ArgumentParser) -> None:
    inventory = PROJECT / "inventories" / "lab"
    parser.add_argument("-i", "--inventory", type=Path, default=inventory, help="inventory of the site (default: the lab's)")
    _add_package(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan and touch nothing")
    parser.add_argument("--plain", action="store_true", help="plain lines, no live view")
    _add_evidence(parser)
    _add_approval(parser)
    _add_strain(parser)


def _add_package(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", metavar="NAME", help="the lab, where the inventory is one (default: $HOLDFAST_LAB, else 'lab')")
    parser.add_argument("--package", metavar="NAME", help="the package (default: the only one that there is)")


def _add_evidence(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--evidence", type=Path, metavar="FOLDER", help="where the evidence of all runs is kept (default: "
                        "evidence/ in $HOLDFAST_STATE, else in ~/.local/state/holdfast)")


def _add_approval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--approve-production", metavar="CLUSTER", help="run on an inventory that says it is production; "
                        "its cluster's name is the approval")


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
