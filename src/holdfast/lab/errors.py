"""What can go wrong in the lab, said in sentences a user can act on."""

from __future__ import annotations


class LabError(Exception):
    """A fault that the user can understand and mend; printed as one sentence, without a traceback.

    `exit_code` is 1 for "it did not work" and 2 for "this can't be asked".
    """

    exit_code = 1


class UsageError(LabError):
    """The request itself is wrong: unknown node, bad topology, impossible option."""

    exit_code = 2


class HostError(LabError):
    """This machine lacks something that the lab needs; the message says how to get it."""


class CommandError(LabError):
    """A tool that the lab called ended in a way that it does not expect."""

    def __init__(self, argv: list[str], code: int, stderr: str) -> None:
        self.argv, self.code, self.stderr = argv, code, stderr
        last = stderr.strip().splitlines()[-3:]
        super().__init__(f"{argv[0]} ended with code {code}: {' / '.join(last) or 'no message'} (called: {' '.join(argv)})")
