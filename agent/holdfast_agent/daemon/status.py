"""The one status format, from the machines' states. Pure."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from ..core.keys import key_node_id, same_cluster
from ..core.machine import summary
from ..core.state import MachineState, PackageConfig, State
from .package_agent import PackageAgent

SCHEMA = 1


def package_status(agent: PackageAgent, now: float) -> dict[str, Any]:
    """One package's part of the status."""
    state, views = agent.state, agent.storage.views.values()
    return {
        "state": state.state.value,
        "reason": state.reason,
        "since": wall_time(state.since, now),
        "owner": holder_node(state),
        "can_serve": summary(state).can_serve,
        "attached": state.state is not State.DETACHED,
        "keys": {lun: {path: [key_text(key) for key in keys] for path, keys in paths.items()}
                 for lun, paths in agent.storage.path_keys.items()},
        "registered": {view.lun: sorted({key_text(key) for key in view.keys}) for view in views},
        "holder": {view.lun: key_text(view.holder) if view.holder is not None else None for view in views},
        "read_seconds_ago": {lun: round(now - moment, 1) for lun, moment in agent.storage.read_at.items()},
        "address": dict(agent.addresses.present),
        "poolers": agent.poolers.status(),
        "failures": len(state.restarts) + len(state.failures) + len(state.failed_nodes),
        "flaps": {"count": len(state.failures), "period_seconds": state.config.flap_period},
        "last_takeover": agent.timeline.last,
        "key": key_text(state.key),
        "term": state.term,
    }  # fmt: skip


def holder_node(state: MachineState) -> str | None:
    """Name of the node that holds the lock LUN, None where nobody of this cluster does."""
    if state.lock is None or state.lock.holder is None or not same_cluster(state.lock.holder, state.key):
        return None
    return node_name(state.config, key_node_id(state.lock.holder))


def node_name(config: PackageConfig, node_id: int) -> str | None:
    """Name of a node of the package by its id."""
    return next((name for name, number in config.node_ids if number == node_id), None)


def key_text(key: int) -> str:
    """A reservation key as every tool prints it."""
    return f"0x{key:016x}"


def wall_time(moment: float, now: float) -> str:
    """RFC 3339 time of a moment of the monotonic clock."""
    return datetime.fromtimestamp(time.time() - (now - moment), UTC).isoformat(timespec="milliseconds")
