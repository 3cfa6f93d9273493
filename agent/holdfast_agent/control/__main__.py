"""holdfastctl: what a person or a playbook asks the agent of this node.

Exit codes: 0 done, 1 refused or failed or no agent, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys

from ..agent_version import VERSION
from ..core.events import Verb
from .client import NoAgentError, ask_agent
from .protocol import STATUS, Request
from .table import render_preview, render_status

# The slowest step that a command waits for is a database that recovers (start_timeout of the slowest profile).
DEFAULT_TIMEOUT_SECONDS = 900.0
_STATUS_TIMEOUT_SECONDS = 10.0
_EXIT_CODES = "Exit codes: 0 done, 1 refused or failed or no agent, 2 wrong usage."
_MAINTENANCE = {"on": Verb.MAINTENANCE_ON, "off": Verb.MAINTENANCE_OFF}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="holdfastctl", description="Ask the Holdfast agent of this node.", epilog=_EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"holdfastctl {VERSION}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer as JSON")
    common.add_argument("--timeout", type=float, help="seconds to wait for the answer")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(verb: str, purpose: str) -> argparse.ArgumentParser:
        description = f"{purpose[0].upper()}{purpose[1:]}."
        return verbs.add_parser(verb, parents=[common], help=purpose, description=description, epilog=_EXIT_CODES)

    status = add(STATUS, "what the agent knows")
    status.add_argument("package", nargs="?", help="only this package")
    for verb in Verb:
        if " " not in verb:
            command = add(verb.value, _HELP[verb])
            command.add_argument("package")
            if verb is Verb.MOVE:
                command.add_argument("target", nargs="?", help="node to move to (default: the best one)")
                command.add_argument("--preview", action="store_true", help="only say what would happen; exit code 1: refused")
            if verb is Verb.CONFIRM_DEAD:
                command.add_argument("target", metavar="node", help="node that certainly has no power")
            if verb is Verb.START:
                command.add_argument(
                    "--up-to", metavar="STEP", help="only up to this step (mount or a resource), then maintenance"
                )
            if verb in (Verb.MOVE, Verb.FAILBACK):
                command.add_argument("--without-poolers", action="store_true", help="do not pause the poolers first")
                command.add_argument(
                    "--longest-transaction", type=float, metavar="SECONDS", help="refuse while a transaction is older than this"
                )
                command.add_argument(
                    "--wait", type=float, default=0.0, metavar="SECONDS", help="wait so long for that transaction to end"
                )
    maintenance = add("maintenance", "stop or resume watching a package")
    maintenance.add_argument("words", nargs=2, metavar="on|off PACKAGE")
    return parser


_HELP = {
    Verb.START: "start a stopped package here; in maintenance: what does not run",
    Verb.STOP: "stop a package and leave it stopped",
    Verb.MOVE: "move a package to another node",
    Verb.DETACH: "leave a package running while the agent is replaced",
    Verb.ATTACH: "take a detached package back",
    Verb.FAILBACK: "move a package to its preferred node",
    Verb.FORGET_FAILURES: "forget failures and flaps",
    Verb.REJOIN: "let an ejected node take part again",
    Verb.CONFIRM_DEAD: "tell this node that another one is without power, so that nothing waits for it",
}


def parse_request(options: argparse.Namespace) -> Request:
    """The request of a command line; raises ValueError where "maintenance" is misspelt or "--wait" has nothing to wait for."""
    if options.verb != "maintenance":
        target, up_to = getattr(options, "target", None), getattr(options, "up_to", None)
        preview, without_poolers = (getattr(options, name, False) for name in ("preview", "without_poolers"))
        limit, wait = getattr(options, "longest_transaction", None), getattr(options, "wait", 0.0)
        if wait and limit is None:
            raise ValueError("--wait waits for transactions above --longest-transaction; say which")
        return Request(options.verb, options.package, target, up_to, preview, without_poolers, limit, wait)
    switches = [word for word in options.words if word in _MAINTENANCE]
    packages = [word for word in options.words if word not in _MAINTENANCE]
    if len(switches) != 1:
        raise ValueError("maintenance needs on or off, and a package")
    return Request(_MAINTENANCE[switches[0]], packages[0])


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        request = parse_request(options)
    except ValueError as error:
        parser.error(str(error))
    default = _STATUS_TIMEOUT_SECONDS if request.verb == STATUS else DEFAULT_TIMEOUT_SECONDS
    try:
        answer = ask_agent(request, options.timeout or default + request.wait)
    except NoAgentError as error:
        print(f"holdfastctl: {error}", file=sys.stderr)
        return 1
    if request.verb == STATUS:
        return _print_status(answer, options)
    if "preview" in answer and not options.json:
        print(render_preview(answer["preview"]))
    print(json.dumps(answer) if options.json else answer["reason"])
    return 0 if answer["ok"] else 1


def _print_status(status: dict[str, object], options: argparse.Namespace) -> int:
    if "packages" not in status:
        print(f"holdfastctl: {status.get('reason')}", file=sys.stderr)
        return 1
    print(json.dumps(status) if options.json else render_status(status))
    return 0


if __name__ == "__main__":
    sys.exit(main())
