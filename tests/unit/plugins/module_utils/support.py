"""What the tests of this folder share: recorded answers of real tools."""

from __future__ import annotations

from pathlib import Path

RECORDED = Path(__file__).parents[1] / "recorded"


def recorded(name: str) -> str:
    """Text of a recorded answer."""
    return (RECORDED / name).read_text(encoding="utf-8")


def described(actions: list) -> list[str]:
    """Verb and subject of every action."""
    return [f"{action.verb} {action.subject}" for action in actions]
