"""The progress display, in a terminal and elsewhere."""

from __future__ import annotations

import io
import re
import time

import pytest

from holdfast.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_it_is_one_line_a_step() -> None:
    stream = io.StringIO()
    with Progress("lab x", stream) as report:
        report("building")
        report("booting")
    assert [re.sub(r"[\d.]+", "N", line) for line in stream.getvalue().splitlines()] == [
        "[   N s] lab x: building", "[   N s] lab x: booting"]
    assert "\033" not in stream.getvalue()


def test_a_terminal_gets_a_line_that_renews_itself() -> None:
    stream = Terminal()
    turning = re.compile(r"\r\033\[K[|/\\-] lab x: building \(\d+\.\d s\)")
    with Progress("lab x", stream) as report:
        report("building")
        deadline = time.monotonic() + 30
        while not turning.search(stream.getvalue()) and time.monotonic() < deadline:
            time.sleep(0.05)
        report("booting")
    lines = stream.getvalue().split("\r\033[K")
    assert turning.search(stream.getvalue()), "a turning mark while it works"
    assert [line for line in lines if line.endswith("\n")] == [
        line for line in lines if re.match(r"  lab x: (building|booting) \(\d+\.\d s\)\n$", line)]


def test_a_failed_step_is_marked() -> None:
    stream = Terminal()
    with pytest.raises(ValueError, match="no"), Progress("lab x", stream) as report:
        report("building")
        raise ValueError("no")
    assert stream.getvalue().rpartition("\033[K")[2].startswith("x lab x: building")


def test_nothing_to_do_shows_nothing() -> None:
    stream = Terminal()
    with Progress("lab x", stream):
        pass
    assert stream.getvalue() == ""


def test_long_lines_are_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    with Progress("lab x", stream) as report:
        report("y" * 100)
    assert max(len(line.rstrip("\n")) for line in stream.getvalue().split("\r\033[K")) == 39
