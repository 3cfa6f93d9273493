"""Which way the probe goes to the database: straight to the package's address, or through a pooler."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.drill.errors import DrillError
from holdfast.drill.view import ClusterView

# A server that is there may be busy; one that does not answer for this long is no use to a client.
PATIENCE_SECONDS = 2.0
# Behind a pooler a client waits where it would else get an error; that it gets none is what is measured.
POOLED_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Route:
    """Where the probe connects, and how long it waits there for a login or for a statement."""

    through: str
    host: str
    port: int
    patience_seconds: float


def choose_route(view: ClusterView, client: str, through: str) -> Route:
    """The pooler on the client's own host, as an application would use it, else the package's first one."""
    database = view.database
    if database is None:
        raise DrillError(f"package {view.name} has no database to measure with")
    if through == "address":
        return Route(through, view.addresses[0], int(database["port"]), PATIENCE_SECONDS)
    if not view.poolers:
        raise DrillError(f"package {view.name} has no pooler")
    near = sorted(view.poolers, key=lambda pooler: pooler["host"] != client)[0]
    return Route(through, str(near["address"]), int(near["port"]), POOLED_PATIENCE_SECONDS)
