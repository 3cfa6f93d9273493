"""The command line: `holdfast lab …`, `holdfast drill …`, and so on.

Each area brings its own commands; this module only joins them and turns faults into one sentence and an exit code.
"""

from __future__ import annotations

import argparse
import sys

from holdfast.bench import cli as bench_cli
from holdfast.demo import cli as demo_cli
from holdfast.docs import cli as docs_cli
from holdfast.drill import cli as drill_cli
from holdfast.explain import cli as explain_cli
from holdfast.lab import cli as lab_cli
from holdfast.lab.errors import LabError
from holdfast.suite import cli as suite_cli

INTERRUPTED = 130             # 128 + SIGINT, as shells report it


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="holdfast", description="Shared-storage clusters for ERP databases, and drills "
                                     "of their failover.")
    areas = parser.add_subparsers(dest="area", required=True, metavar="COMMAND")
    demo_cli.add_arguments(areas)
    lab_cli.add_arguments(areas)
    drill_cli.add_arguments(areas)
    explain_cli.add_arguments(areas)
    suite_cli.add_arguments(areas)
    bench_cli.add_arguments(areas)
    docs_cli.add_arguments(areas)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Exit code of the whole: 0 done, 1 failed, 2 wrong usage (or, for drills, unknown)."""
    arguments = build_parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        return code
    except LabError as error:
        print(f"holdfast: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("holdfast: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
