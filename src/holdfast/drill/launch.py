"""From the command line's words to a run on a site: site, lock, folder, hosts, live view; and what is said at the end."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from holdfast.drill.campaign.describe import Settings, describe_rounds, split_entries
from holdfast.drill.campaign.draw import Entry, draw_rounds, first_rounds, load_entries
from holdfast.drill.campaign.driver import Campaign
from holdfast.drill.campaign.judging import judge_folder
from holdfast.drill.deadman import Deadman
from holdfast.drill.display import LiveDisplay, Now, PlainDisplay, describe_now
from holdfast.drill.driver import Drill
from holdfast.drill.errors import Refused
from holdfast.drill.evidence import make_folder, state_folder, write_json
from holdfast.drill.hosts import AnsibleModules
from holdfast.drill.integrity import TOOLS
from holdfast.drill.journal import Journal
from holdfast.drill.load import Load, expect_postgresql
from holdfast.drill.lock import cluster_lock, host_lock
from holdfast.drill.observers import Observers
from holdfast.drill.plan import bind_roles, describe_plan, limit_words, obstacles
from holdfast.drill.power import Power, build_power
from holdfast.drill.resuming import Remains, read_remains, roles_of
from holdfast.drill.run import Run
from holdfast.drill.runbook.catalogue import Catalogue
from holdfast.drill.runbook.model import Runbook
from holdfast.drill.site import Site, find_owner, open_site
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import EXIT_CODES, Judgement
from holdfast.drill.verdict.write import write_verdict
from holdfast.report.render import write_report

AnyRun = TypeVar("AnyRun", bound=Run)
PROJECT = Path(__file__).resolve().parents[3]
# What everybody asks first, whatever the verdict.
SAID_ALWAYS = ("outage", "acknowledged")


@dataclass(frozen=True)
class Ground:
    """What a run stands on, made anew by each controller."""

    site: Site
    folder: Path
    modules: AnsibleModules
    power: Power


def run_drill(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """`holdfast drill run`."""
    runbook = catalogue.find(arguments.name)
    site = find_site(arguments)
    if reasons := list(obstacles(runbook, site.view, power_of(site).abilities())):
        raise Refused(f"{runbook.name} cannot run here: {'; '.join(reasons)}")
    if arguments.dry_run:
        print(describe_plan(runbook, site.view, bind_roles(site.view, find_owner(site))))
        return 0
    guard_production(site, f"{runbook.name} causes: {runbook.disruption}", arguments.approve_production)
    with hold_cluster(site, runbook.name):
        roles = bind_roles(site.view, find_owner(site))
        ground = prepare(site, arguments, runbook.name)
        keep_input(ground, runbook)
        with assembled(ground, arguments, roles, Drill, runbook=runbook, step_by_step=arguments.step) as drill:
            judgement = drill.execute()
    return say(judgement, runbook.title, ground.folder)


def run_campaign(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """`holdfast drill campaign`."""
    settings = Settings(arguments.seed, arguments.faults, arguments.limit_seconds, arguments.checkpoint_every, arguments.minutes)
    site = find_site(arguments)
    entries, excluded = playable(catalogue, site, power_of(site))
    if arguments.dry_run:
        plan = first_rounds(draw_rounds(settings.seed, entries, catalogue.runbooks), settings.faults)
        print(describe_rounds(plan, excluded, site.view, settings))
        return 0
    guard_production(site, many_outages(settings), arguments.approve_production)
    with hold_cluster(site, "campaign"):
        roles = bind_roles(site.view, find_owner(site))
        ground = prepare(site, arguments, "campaign")
        for name in (entry.runbook for entry in entries):
            keep_input(ground, catalogue.runbooks[name])
        with assembled(ground, arguments, roles, Campaign, runbooks=catalogue.runbooks,
                       rounds=draw_rounds(settings.seed, entries, catalogue.runbooks), settings=settings,
                       step_by_step=arguments.step) as campaign:  # fmt: skip
            campaign.run["not_drawn"] = excluded
            judgement = campaign.execute()
    return say(judgement, f"campaign with seed {settings.seed}", ground.folder)


def site_obstacles(arguments: argparse.Namespace, catalogue: Catalogue) -> dict[str, list[str]]:
    """Why a drill cannot run on this site; nothing where it can."""
    site = find_site(arguments)
    able = power_of(site).abilities()
    return {name: list(obstacles(runbook, site.view, able)) for name, runbook in catalogue.runbooks.items()}


def playable(catalogue: Catalogue, site: Site, power: Power) -> tuple[list[Entry], dict[str, str]]:
    """What can be drawn here, and why not the rest."""
    reasons = {e.runbook: list(obstacles(catalogue.runbooks[e.runbook], site.view, power.abilities())) for e in load_entries()}
    return split_entries(load_entries(), reasons)


def resume_run(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """`holdfast drill resume`: a drill is undone, collected and judged (never PASS); a campaign goes on."""
    remains = read_remains(arguments.folder)
    run = remains.run
    if "ended" in run and run.get("kind") != "campaign":
        raise Refused(f"{arguments.folder} is complete: {arguments.folder / 'report.html'}")
    arguments.lab, arguments.package, arguments.inventory = run.get("lab"), run["package"], Path(run["inventory"])
    site = find_site(arguments)
    if run.get("kind") == "campaign":
        guard_production(site, many_outages(Settings(**run["campaign"])), arguments.approve_production)
    arguments.load, arguments.load_rate = (run.get("load") or {}).get("clients"), (run.get("load") or {}).get("rate", 0.0)
    arguments.integrity = bool(run.get("integrity"))
    with hold_cluster(site, f"resume of {run['runbook']}"):
        modules = AnsibleModules(PROJECT, site.inventory, arguments.folder / "ansible")
        ground = Ground(site, arguments.folder, modules, build_power(site.variables, modules))
        if run.get("kind") == "campaign":
            return _resume_campaign(arguments, catalogue, ground, remains)
        runbook = catalogue.find(run["runbook"])
        with assembled(ground, arguments, roles_of(run, site.view.nodes), Drill, runbook=runbook) as drill:
            judgement = drill.resume(remains)
    return say(judgement, f"{runbook.title} (its controller had gone)", ground.folder)


def _resume_campaign(arguments: argparse.Namespace, catalogue: Catalogue, ground: Ground, remains: Remains) -> int:
    settings = Settings(**{**remains.run["campaign"], "minutes": arguments.minutes})
    entries = [entry for entry in load_entries() if entry.runbook not in remains.run.get("not_drawn", {})]
    with assembled(ground, arguments, roles_of(remains.run, ground.site.view.nodes), Campaign, runbooks=catalogue.runbooks,
                   rounds=draw_rounds(settings.seed, entries, catalogue.runbooks), settings=settings) as campaign:  # fmt: skip
        judgement = campaign.resume(remains)
    return say(judgement, f"campaign with seed {settings.seed}", ground.folder)


def find_site(arguments: argparse.Namespace) -> Site:
    if arguments.lab:
        os.environ["HOLDFAST_LAB"] = arguments.lab
    return open_site(PROJECT, arguments.inventory.resolve(), arguments.package)


def lock_folder() -> Path:
    return state_folder() / "drill-locks"


@contextmanager
def hold_cluster(site: Site, words: str) -> Iterator[None]:
    """Nobody else drills this cluster meanwhile, whoever and wherever he is."""
    with cluster_lock(lock_folder(), site.view, words), host_lock(site.shell, site.view, words):
        yield


def power_of(site: Site) -> Power:
    """Before there is a folder: only what it is able to do is of interest."""
    return build_power(site.variables, AnsibleModules(PROJECT, site.inventory, Path()))


def many_outages(settings: Settings) -> str:
    return f"a campaign of {settings.faults} faults causes many outages"


def guard_production(site: Site, words: str, approved: str | None) -> None:
    """An inventory that says it is production needs the name of its cluster, typed by a person."""
    if site.view.production and approved != site.view.cluster:
        raise Refused(
            f"this inventory is marked as production (holdfast_production). {words}. "
            f"Where that is wanted, say --approve-production {site.view.cluster}"
        )


def prepare(site: Site, arguments: argparse.Namespace, name: str) -> Ground:
    if arguments.load:
        expect_postgresql(site.view)
    folder = make_folder(arguments.evidence or state_folder() / "evidence", name, site.view.name)
    write_json(folder / "inputs" / "package.json", dict(site.view.package))
    modules = AnsibleModules(PROJECT, site.inventory, folder / "ansible")
    return Ground(site, folder, modules, build_power(site.variables, modules))


def keep_input(ground: Ground, runbook: Runbook) -> None:
    """The runbook as it was, beside what came of it."""
    text = (PROJECT / "runbooks" / f"{runbook.name}.yml").read_text()
    (ground.folder / "inputs" / f"{runbook.name}.yml").write_text(text)


@contextmanager
def assembled(
    ground: Ground, arguments: argparse.Namespace, roles: Any, kind: Callable[..., AnyRun], **words: Any
) -> Iterator[AnyRun]:
    """The run with everything around it, which ends with it."""
    site = ground.site
    journal = Journal(ground.folder / "journal.jsonl")
    deadman = Deadman(PROJECT, site.inventory, ground.folder / "ansible")
    observers = Observers(site.shell, site.view, ground.folder)
    origin = {"inventory": str(site.inventory), "lab": arguments.lab or os.environ.get("HOLDFAST_LAB")}
    display = PlainDisplay()  # until there is a run to look at
    tools = TOOLS if arguments.integrity else words["runbook"].integrity if "runbook" in words else ()
    run = kind(site.view, roles, PROJECT, ground.folder, site.shell, ground.modules, ground.power, deadman, journal,
               observers, lambda question: _ask_over(display, question), run=origin, integrity=tuple(tools), **words)  # fmt: skip
    run.run["integrity"] = list(tools)
    if arguments.load:
        run.load = Load(site.shell, site.view, run.probe.client, run.probe, arguments.load, arguments.load_rate)
        run.run["load"] = run.load.settings()
    display = make_display(arguments.plain, run)
    journal.listeners.append(display)
    try:
        yield run
    finally:
        display.close()
        deadman.farewell()
        observers.stop()
        journal.close()


def make_display(plain: bool, run: Run) -> PlainDisplay:
    if plain or not sys.stdout.isatty():
        return PlainDisplay()
    now = Now(allowed=limit_words(run.runbook, run.view) if isinstance(run, Drill) else "")
    run.journal.listeners.append(now)
    return LiveDisplay(lambda: describe_now(run.view.name, run.observers.seen(), run.probe.status, now))


def say(judgement: Judgement, title: str, folder: Path) -> int:
    """The verdict, what clients saw, what did not pass, and where the report is."""
    print(f"\n{judgement.verdict.value}: {title}")
    for check in judgement.checks:
        if check.verdict.value != "PASS":
            print(f"  {check.verdict.value}: {check.title}: {check.summary}")
        elif check.name in SAID_ALWAYS:
            print(f"  {check.title}: {check.summary}")
    print(f"report: {folder / 'report.html'}")
    return EXIT_CODES[judgement.verdict]


def judge_again(folder: Path) -> Judgement:
    """`holdfast drill report`: the rules of today on the records of then."""
    try:
        kind = json.loads((folder / "run.json").read_text()).get("kind")
    except (OSError, ValueError) as error:
        raise Refused(f"{folder} is not the evidence of a run: {error}") from error
    if kind == "campaign":
        return judge_folder(folder)
    history = load_history(folder)
    judgement = judge(history)
    write_verdict(folder, history, judgement)
    write_report(folder, history, judgement)
    return judgement


def _ask_over(display: PlainDisplay, question: str) -> str | None:
    with display.quiet():
        return ask(question)


def ask(question: str) -> str | None:
    """yes or no from the terminal, None where there is none."""
    if not sys.stdin.isatty():
        return None
    while True:
        try:
            answer = input(question).strip().lower()
        except (EOFError, OSError):
            return None
        if answer in ("yes", "no"):
            return answer
