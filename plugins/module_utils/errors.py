# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The one error tree of the collection's Python.

An error carries its data (command, exit code, device, list of problems), is raised where it is found and printed in one
place: the C(except HoldfastError) of a module. Anything that is not a L(HoldfastError) is a bug and keeps its traceback.
"""

from __future__ import annotations


class HoldfastError(Exception):
    """Something a person can put right; the message says what to do, I(details) carry what was seen."""

    def __init__(self, message, **details):
        super().__init__(message)
        self.message = message
        self.details = details

    def as_result(self):
        """Arguments for C(AnsibleModule.fail_json)."""
        return {"msg": self.message, "error": type(self).__name__, "details": self.details}


class DefinitionError(HoldfastError):
    """The wanted state contradicts itself; all problems are reported at once, each with its path."""

    def __init__(self, problems):
        super().__init__("; ".join(problems), problems=list(problems))


class RefusedError(HoldfastError):
    """The step is possible but not safe: something unknown, foreign or in use stands in the way."""


class CommandError(HoldfastError):
    """A tool ended with an exit code that is not listed as expected."""

    def __init__(self, argv, returncode, stdout="", stderr=""):
        reason = (stderr or stdout).strip().splitlines()
        super().__init__(
            f"{argv[0]} failed with exit code {returncode}: {reason[-1] if reason else 'no output'}",
            argv=list(argv),
            returncode=returncode,
            stdout=stdout,
            stderr=stderr,
        )


class ParseError(HoldfastError):
    """A tool's output does not have the shape its parser was written for."""


class ScsiError(HoldfastError):
    """A SCSI command ended with a status other than GOOD."""


class ReservationConflict(ScsiError):
    """Status 18h: the array refused the command because of a persistent reservation (SPC-4 5.13)."""


class ConvergenceError(HoldfastError):
    """Everything was carried out and the state read back still differs from the wanted one."""


class WaitTimeoutError(HoldfastError):
    """The awaited state did not come within its time."""
