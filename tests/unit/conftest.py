"""Makes this checkout importable as collection holdfast.cluster, the way Ansible sees it."""

from __future__ import annotations

import sys
import types
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def _alias(name: str, directory: Path | None = None) -> None:
    """Register a package without code of its own; nothing happens where it is there already."""
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(directory)] if directory else []
        sys.modules[name] = package


_alias("ansible_collections")
_alias("ansible_collections.holdfast")
_alias("ansible_collections.holdfast.cluster", _ROOT)
