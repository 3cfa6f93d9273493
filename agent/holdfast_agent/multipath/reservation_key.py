"""Telling multipathd the key of a map, so that it registers a returning path before the map uses that path.

multipathd (0.9.4 and 0.11.1, ``mpath_pr_event_handler_fn``) registers a path that comes back only if the map's key is
still registered through some other nexus. A node whose key was preempted is therefore not let in again, provided that
keys are never shared and never reused, which the epoch in the key guarantees. The key reaches it only where
multipath.conf says ``reservation_key file``.
"""

from __future__ import annotations

from ..errors import MultipathError
from .daemon_socket import MultipathDaemon


def set_map_key(daemon: MultipathDaemon, map_name: str, key: int) -> None:
    """Make multipathd register returning paths of the map with ``key``, kept over a power loss of the target.

    Raises MultipathError, also where the key was not taken because multipath.conf lacks ``reservation_key file``.
    """
    daemon.ask(f"setprkey map {map_name} key {key:#x}:aptpl")
    kept = daemon.ask(f"getprkey map {map_name}").strip().partition(":")[0]
    if kept != f"{key:#x}":
        raise MultipathError(f"multipathd keeps key {kept} for {map_name}: is reservation_key file set?")
    # The flag is what makes the path checker look at reservations at all.
    daemon.ask(f"setprstatus map {map_name}")


def clear_map_key(daemon: MultipathDaemon, map_name: str) -> None:
    """Stop multipathd from registering anything on the map; done before the node gives up its own keys."""
    daemon.ask(f"unsetprstatus map {map_name}")
    daemon.ask(f"unsetprkey map {map_name}")
