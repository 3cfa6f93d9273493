"""Children with real processes: values, errors, deadlines, deaths."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_agent.children.messages import JobEnd
from holdfast_agent.children.pool import CHILD_GONE_KIND, DEADLINE_KIND, Pool
from holdfast_agent.children.worker import serve_jobs
from holdfast_agent.children.zygote import Zygote, start_zygote
from holdfast_agent.daemon.loop import Loop
from holdfast_agent.errors import ResourceError


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    made = start_zygote(serve_jobs)
    yield made
    os.kill(made.pid, 9)
    os.waitpid(made.pid, 0)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def fail_at_length(size: int) -> None:
    raise ResourceError("x" * size, output="y" * size)


def fail_with_data() -> None:
    raise ResourceError("it is broken", exit_code=7)


def crash() -> None:
    os._exit(3)


def run(loop: Loop, pool: Pool, function, arguments=(), seconds: float = 5.0) -> JobEnd:  # type: ignore[no-untyped-def]
    ends: list[JobEnd] = []

    def done(end: JobEnd) -> None:
        ends.append(end)
        loop.stop()

    pool.submit(function, arguments, loop.now + seconds, done)
    loop._running = True
    loop.run()
    assert len(ends) == 1
    return ends[0]


def test_values_errors_and_bugs_come_back(loop: Loop, zygote: Zygote) -> None:
    pool = Pool(loop, zygote, "test")
    assert run(loop, pool, max, (3, 5)).value == 5
    refused = run(loop, pool, fail_with_data)
    assert (refused.error_kind, refused.error_text, refused.error_details) == ("ResourceError", "it is broken", {"exit_code": 7})
    assert run(loop, pool, os.stat, ("/nowhere",)).error_kind == "OSError"
    assert "traceback" in run(loop, pool, int, ("x",)).error_details


@pytest.mark.parametrize("size", [150_000, 5_000_000])
def test_an_error_that_would_not_fit_a_packet_comes_back_cut(loop: Loop, zygote: Zygote, size: int) -> None:
    end = run(loop, Pool(loop, zygote, "test"), fail_at_length, (size,))
    assert end.error_kind == "ResourceError" and end.error_text.startswith("xxx") and len(end.error_text) < 10_000


def test_a_deadline_ends_the_child_and_frees_the_pool(loop: Loop, zygote: Zygote) -> None:
    pool = Pool(loop, zygote, "test")
    begun = time.monotonic()
    assert run(loop, pool, time.sleep, (30,), seconds=0.2).error_kind == DEADLINE_KIND
    assert time.monotonic() - begun < 2
    assert run(loop, pool, max, (1, 2)).value == 2
    assert pool.busy_count == 0


def test_a_child_that_dies_is_reported_and_replaced(loop: Loop, zygote: Zygote) -> None:
    pool = Pool(loop, zygote, "test")
    assert run(loop, pool, crash).error_kind == CHILD_GONE_KIND
    assert run(loop, pool, max, (1, 2)).ok


def test_an_abandoned_job_never_answers(loop: Loop, zygote: Zygote, tmp_path: Path) -> None:
    pool = Pool(loop, zygote, "test")
    handle = pool.submit(time.sleep, (0.1,), loop.now + 5, lambda end: pytest.fail("answered"))
    handle.abandon()
    assert run(loop, pool, time.sleep, (0.2,)).ok


def test_children_hold_no_descriptor_of_the_agent(loop: Loop, zygote: Zygote, tmp_path: Path) -> None:
    with (tmp_path / "held").open("w"):
        pool = Pool(loop, zygote, "test")
        open_files = run(loop, pool, open_descriptors).value
    assert str(tmp_path / "held") not in open_files


def open_descriptors() -> list[str]:
    return [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


def test_children_end_with_the_agent(loop: Loop, zygote: Zygote) -> None:
    pid, connection = zygote.spawn("test")
    connection.close()
    limit = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < limit:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()
