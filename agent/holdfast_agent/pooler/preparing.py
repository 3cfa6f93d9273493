"""Job function of a pooled move: what a child does with the databases of the package before clients are paused."""

from __future__ import annotations

from ..config import Resource
from ..resources import postgresql


def write_out(resources: tuple[Resource, ...], deadline: float) -> None:
    """A checkpoint of every PostgreSQL of the package."""
    for resource in resources:
        if resource.type == "postgresql":
            postgresql.checkpoint(resource, deadline)
