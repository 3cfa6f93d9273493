"""Run a tool of the host: argv only, C locale, deadline, expected exit codes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from holdfast.lab.errors import CommandError, LabError

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def environment(**extra: str) -> dict[str, str]:
    """The caller's environment in the C locale, with the sbin folders (an ordinary user's PATH lacks them on Debian).

    UTF-8, because Ansible does not start without it; messages stay those of the C locale.
    """
    return {**os.environ, "LC_ALL": "C.UTF-8", "PATH": f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SBIN}", **extra}


def run(argv: list[str], *, timeout_seconds: float = 60, expected: tuple[int, ...] = (0,), stdin: str | None = None,
        log: Path | None = None, cwd: Path | None = None, **extra_environment: str) -> str:
    """Run `argv` with `stdin` (nothing, else) and return what it printed; CommandError on an exit code not expected.

    With `log`, all output goes to that file as well (appended), for tools that talk much.
    """
    try:
        done = subprocess.run(argv, input=stdin or "", capture_output=True, text=True, timeout=timeout_seconds, cwd=cwd,
                              env=environment(**extra_environment), check=False)
    except FileNotFoundError as error:
        raise LabError(f"the tool '{argv[0]}' is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"'{' '.join(argv[:3])} …' did not end within {timeout_seconds:.0f} s") from error
    if log:
        with log.open("a") as handle:
            handle.write(f"$ {' '.join(argv)}\n{done.stdout}{done.stderr}")
    if done.returncode not in expected:
        raise CommandError(argv, done.returncode, done.stderr or done.stdout)
    return done.stdout
