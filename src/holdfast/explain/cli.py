"""`holdfast explain timers`: every timer of a profile with the relation that it comes from."""

from __future__ import annotations

import argparse
from typing import Any

from holdfast_agent.core.timers import PROFILES, explain_timers


def add_arguments(areas: Any) -> None:
    parser = areas.add_parser("explain", help="what a setting means", description="What a setting means.")
    topics = parser.add_subparsers(dest="topic", required=True, metavar="TOPIC")
    timers = topics.add_parser("timers", help="the timers of a profile and their relations",
                               description="The timers of a profile and their relations.")
    timers.add_argument("profile", nargs="?", choices=sorted(PROFILES), default="fast", help="default: fast")
    timers.set_defaults(run=print_timers)


def print_timers(arguments: argparse.Namespace) -> int:
    print(explain_timers(PROFILES[arguments.profile]), end="")
    return 0
