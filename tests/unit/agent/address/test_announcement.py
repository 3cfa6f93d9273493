"""The frame that heals neighbours."""

from __future__ import annotations

from holdfast_agent.address.announcement import build_announcement

HARDWARE = bytes.fromhex("525400aa0001")


def test_sender_and_target_are_the_announced_address() -> None:
    frame = build_announcement(HARDWARE, "10.20.0.50")
    assert frame[:14] == b"\xff" * 6 + HARDWARE + b"\x08\x06"
    assert frame[14:22] == bytes.fromhex("0001080006040001")
    assert frame[22:] == HARDWARE + bytes([10, 20, 0, 50]) + bytes(6) + bytes([10, 20, 0, 50])
