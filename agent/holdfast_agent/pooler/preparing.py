"""Job functions of a pooled move: what a child does with the databases of the package before clients are paused."""

from __future__ import annotations

from ..config import Resource
from ..resources import postgresql


def write_out(resources: tuple[Resource, ...], deadline: float) -> None:
    """A checkpoint of every PostgreSQL of the package."""
    for resource in _databases(resources):
        postgresql.checkpoint(resource, deadline)


def describe_transactions(resources: tuple[Resource, ...], deadline: float) -> str:
    """The longest transaction of each database, in words; empty where there is none."""
    return "; ".join(filter(None, (postgresql.longest_transaction(resource, deadline) for resource in _databases(resources))))


def _databases(resources: tuple[Resource, ...]) -> list[Resource]:
    return [resource for resource in resources if resource.type == "postgresql"]
