"""Where the lab keeps what it builds (cache) and what it runs (state).

Both follow the XDG base directory specification; `HOLDFAST_CACHE` and `HOLDFAST_STATE` override them.
"""

from __future__ import annotations

import os
from pathlib import Path


def _directory(override: str, xdg: str, fallback: str) -> Path:
    if value := os.environ.get(override):
        return Path(value).expanduser().absolute()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / fallback) / "holdfast"


def cache_directory() -> Path:
    """Images and downloaded packages: may be deleted at any time while no lab is up."""
    return _directory("HOLDFAST_CACHE", "XDG_CACHE_HOME", ".cache")


def state_directory() -> Path:
    """One folder per lab: disks, keys, logs, control socket."""
    return _directory("HOLDFAST_STATE", "XDG_STATE_HOME", ".local/state")


def labs_directory() -> Path:
    return state_directory() / "labs"
