"""Timers and descriptors of the loop."""

from __future__ import annotations

import os

import pytest
from holdfast_agent.daemon.loop import Loop


def test_timers_run_in_order_and_cancelled_ones_never() -> None:
    loop, seen = Loop(), []
    loop.call_at(loop.now + 0.02, lambda: seen.append("second"))
    loop.call_at(loop.now + 0.01, lambda: seen.append("first"))
    loop.call_at(loop.now + 0.015, lambda: seen.append("never")).cancel()
    loop.call_at(loop.now + 0.03, loop.stop)
    loop.run()
    assert seen == ["first", "second"]


def test_a_descriptor_is_served_until_it_is_no_longer_watched() -> None:
    loop, seen = Loop(), []
    reader, writer = os.pipe()

    def read() -> None:
        seen.append(os.read(reader, 1))
        if len(seen) == 2:
            loop.unwatch(reader)
            loop.call_at(loop.now + 0.02, loop.stop)

    loop.watch(reader, read)
    os.write(writer, b"abc")
    loop.run()
    assert seen == [b"a", b"b"]
    os.close(reader)
    os.close(writer)


def test_a_timer_that_repeats_at_once_starves_nobody() -> None:
    loop, seen = Loop(), []
    reader, writer = os.pipe()

    def again() -> None:
        loop.call_soon(again)

    again()
    loop.watch(reader, lambda: (seen.append(os.read(reader, 1)), loop.stop()))
    os.write(writer, b"x")
    loop.run()
    assert seen == [b"x"]
    os.close(reader)
    os.close(writer)


def test_a_reused_descriptor_number_is_not_taken_for_the_old_one() -> None:
    loop, seen = Loop(), []
    first, second = os.pipe(), os.pipe()

    def close_the_other_and_reuse(own: tuple[int, int], other: tuple[int, int]) -> None:
        seen.append(os.read(own[0], 1))
        loop.unwatch(other[0])
        os.dup2(own[0], other[0])
        loop.watch(other[0], lambda: seen.append(b"new"))
        loop.call_at(loop.now + 0.02, loop.stop)

    loop.watch(first[0], lambda: close_the_other_and_reuse(first, second))
    loop.watch(second[0], lambda: close_the_other_and_reuse(second, first))
    os.write(first[1], b"x")
    os.write(second[1], b"x")
    loop.run()
    assert seen == [b"x"]
    for descriptor in (*first, *second):
        os.close(descriptor)


def test_an_error_in_a_callback_ends_the_loop() -> None:
    loop = Loop()
    loop.call_soon(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        loop.run()
