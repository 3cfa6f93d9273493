"""`holdfast test`: run the gates, show each one's result, end with one summary line."""

from __future__ import annotations

import argparse
from typing import Any

from holdfast.alone import alone
from holdfast.lab.errors import UsageError
from holdfast.suite.running import LOGS, run_stage
from holdfast.suite.stages import Stage, all_stages
from holdfast.suite.tools import prepare

BUSY = "another `holdfast test` is running in this checkout; wait for its end"


def add_arguments(areas: Any) -> None:
    parser = areas.add_parser("test", help="run all checks of this checkout", description="Run all checks of this checkout.")
    parser.add_argument("--quick", action="store_true", help="only those that need no nodes (2 minutes on two cores)")
    parser.add_argument("--all", action="store_true", help="also the extra ones (--list shows which)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this stage; may be given more than once")
    parser.add_argument("--list", action="store_true", help="show the stages and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 only where every chosen stage ran and everything in it passed."""
    stages = chosen(all_stages(), arguments.quick, arguments.only or [], everything=arguments.all or arguments.list)
    if arguments.list:
        for stage in stages:
            print(f"{stage.name:<14}{stage.purpose}{' (extra)' if stage.extra else '' if stage.quick else ' (not in --quick)'}")
        return 0
    with alone(LOGS, BUSY):
        prepare(stages)
        outcomes = [run_stage(stage) for stage in stages]
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def chosen(stages: list[Stage], quick: bool, only: list[str], *, everything: bool = False) -> list[Stage]:
    """The stages that were asked for, in their own order; UsageError where one of them cannot be run like that."""
    known = [stage.name for stage in stages]
    if unknown := [name for name in only if name not in known]:
        raise UsageError(f"there is no stage {', '.join(repr(name) for name in unknown)}; there are {', '.join(known)}")
    if quick and (slow := [stage.name for stage in stages if stage.name in only and not stage.quick]):
        raise UsageError(f"--quick leaves {', '.join(slow)} out; ask for it without --quick")
    asked = [stage for stage in stages if stage.name in only or not (only or (stage.extra and not everything))]
    return [stage for stage in asked if stage.quick or not quick]
