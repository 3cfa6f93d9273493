"""The command line as a whole: what a person sees when something ends it, and which faults keep their traceback."""

from __future__ import annotations

import argparse
import errno
import os
import signal
from collections.abc import Callable

import pytest

from holdfast import cli
from holdfast.endings import endings_as_interrupts
from holdfast.lab.errors import LabError, UsageError


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Exit code and standard error of `holdfast x`, which does what the test says."""

    def call(action: Callable[[], object]) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        parser.set_defaults(run=lambda arguments: action())
        monkeypatch.setattr(cli, "build_parser", lambda: parser)
        return cli.main([]), capsys.readouterr().err

    return call


def fails(error: BaseException) -> Callable[[], object]:
    def action() -> object:
        raise error

    return action


@pytest.mark.parametrize(("error", "code", "said"), [
    (LabError("no"), 1, "holdfast: no\n"),
    (UsageError("no"), 2, "holdfast: no\n"),
    (KeyboardInterrupt(), 130, "holdfast: interrupted\n"),
    (BrokenPipeError(), 0, ""),
    (PermissionError(errno.EACCES, "Permission denied", "/x/build"), 1, "holdfast: /x/build: Permission denied\n"),
    (OSError(errno.ENOSPC, "No space left on device"), 1, "holdfast: a file could not be written: No space left on device\n"),
])
def test_one_sentence_and_an_exit_code(call: Callable[..., tuple[int, str]], error: BaseException, code: int, said: str) -> None:
    assert call(fails(error)) == (code, said)


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "gone", "/x"), ValueError("a bug")])
def test_a_bug_keeps_its_traceback(call: Callable[..., tuple[int, str]], error: Exception) -> None:
    with pytest.raises(type(error)):
        call(fails(error))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_the_program_is_heard_once_and_tidied_up_after(call: Callable[..., tuple[int, str]], number: int) -> None:
    tidied = []

    def action() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)     # a second one does not cut the tidying short
            tidied.append("up")

    assert call(action) == (128 + number, "holdfast: interrupted\n")
    assert tidied == ["up"]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with endings_as_interrupts() as heard:
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert heard == []
