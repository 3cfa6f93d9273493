# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a tool: argv, never a shell, C(LC_ALL=C), a time limit, and a list of expected exit codes."""

from __future__ import annotations

import os
import subprocess

from .errors import CommandError, HoldfastError

# A storage tool that says nothing for two minutes hangs in the kernel; waiting longer has never helped one.
DEFAULT_TIMEOUT_SECONDS = 120


def run(argv, expected=(0,), timeout_seconds=DEFAULT_TIMEOUT_SECONDS, stdin=None, variables=None):
    """Run I(argv), with I(variables) added to its environment, and return its standard output.

    Raises L(CommandError) for an exit code outside I(expected), L(HoldfastError) for a missing tool or a timeout.
    """
    return run_full(argv, expected, timeout_seconds, stdin, variables).stdout


def run_full(argv, expected=(0,), timeout_seconds=DEFAULT_TIMEOUT_SECONDS, stdin=None, variables=None):
    """Like L(run), and returns the completed process for callers that need exit code or standard error."""
    environment = dict(os.environ, LC_ALL="C", PATH="/usr/sbin:/usr/bin:/sbin:/bin", **(variables or {}))
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise HoldfastError(f"{argv[0]} is not installed on this node", argv=list(argv)) from error
    except subprocess.TimeoutExpired as error:
        raise HoldfastError(f"{argv[0]} did not end within {timeout_seconds} s", argv=list(argv)) from error
    if done.returncode not in expected:
        raise CommandError(argv, done.returncode, done.stdout, done.stderr)
    return done
