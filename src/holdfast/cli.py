"""The command line: `holdfast lab …`, `holdfast drill …`, and so on.

Each area brings its own commands; this module only joins them and turns faults into one sentence and an exit code.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys

from holdfast import __version__
from holdfast.bench import cli as bench_cli
from holdfast.demo import cli as demo_cli
from holdfast.docs import cli as docs_cli
from holdfast.drill import cli as drill_cli
from holdfast.endings import endings_as_interrupts
from holdfast.explain import cli as explain_cli
from holdfast.lab import cli as lab_cli
from holdfast.lab.errors import LabError
from holdfast.suite import cli as suite_cli

INTERRUPTED = 128             # plus the signal's number, as shells report it
# What the user of a machine can mend: somebody else's checkout, a full disk. Everything else keeps its traceback.
HOST_FAULTS = {errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="holdfast", description="Shared-storage clusters for ERP databases, and drills "
                                     "of their failover.")
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
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
    # ssh runs the lab's proxy command with it. bash would read the user's ~/.bashrc first, because its input is a socket
    # (bash(1), INVOCATION): what that prints or waits for would be in the way of every connection.
    os.environ["SHELL"] = "/bin/sh"
    arguments = build_parser().parse_args(argv)
    with endings_as_interrupts() as heard:
        try:
            code: int = arguments.run(arguments)
            return code
        except LabError as error:
            print(f"holdfast: {error}", file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("holdfast: interrupted", file=sys.stderr)
            return INTERRUPTED + (heard or [signal.SIGINT])[0]
        except BrokenPipeError:
            return 0
        except OSError as error:
            if error.errno not in HOST_FAULTS:
                raise
            print(f"holdfast: {error.filename or 'a file could not be written'}: {error.strerror}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
