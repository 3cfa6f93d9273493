"""The transaction of a database that has been open for the longest time: what a move would throw away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Transaction:
    """Whose it is, by which number the server knows his session, and how long it has been open."""

    user: str
    session: str
    """pid N (PostgreSQL), connection N (MariaDB)"""
    seconds: float

    def __str__(self) -> str:
        return f"{self.user} ({self.session}) has been in a transaction for {self.seconds:.0f} s"
