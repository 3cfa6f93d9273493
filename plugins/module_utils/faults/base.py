# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What every fault declares.

The undoing is known before anything is done, as commands that may run twice and without a fault: the timer on the node
runs the same ones as the driver.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import HoldfastError

PACKAGES = Path("/etc/holdfast/packages")


def read_package(name, folder=PACKAGES):
    """The package's document on this node, empty where none is named or known here."""
    try:
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) if name else {}
    except FileNotFoundError:
        return {}


@dataclass(frozen=True)
class Context:
    """Where a fault acts: its id, the parameters, and the package's document as the agent reads it (may be empty)."""

    id: str
    parameters: dict = field(default_factory=dict)
    package: dict = field(default_factory=dict)

    def wwids(self):
        """WWID by name of every LUN of the package, the lock LUN first."""
        storage = self.package["storage"]
        return {lun["name"]: lun["wwid"] for lun in [storage["lock_lun"], *storage["luns"]]}


class Fault(ABC):
    """One fault on this node. Subclasses declare I(required) and I(optional) parameters and fill in the four methods."""

    required = ()
    optional = ()
    needs_package = False

    def __init__(self, context):
        self.context = context
        self.memory = {}
        self.parameters = {**dict(self.optional), **context.parameters}
        unknown = set(self.parameters) - set(self.required) - {name for name, _default in self.optional}
        missing = [name for name in self.required if name not in self.parameters]
        if unknown or missing:
            raise HoldfastError(f"{type(self).__name__}: unknown {sorted(unknown)}, missing {missing}")
        if self.needs_package and not context.package:
            raise HoldfastError(f"{type(self).__name__} needs a package of this node")

    def remember(self):
        """What has to be known to undo it, read before anything is done; stored in the fault's record."""
        return {}

    @abstractmethod
    def inject(self):
        """Do it."""

    @abstractmethod
    def prove(self):
        """(active, what was seen). active is None where only others can see it."""

    def effect(self):  # noqa: B027 - most faults have none
        """(seen, words) just before it is undone: whether anything came of it; None where the proof has said it all."""

    @abstractmethod
    def heal_commands(self):
        """Commands that undo it, from parameters and memory alone; each may fail, none may harm."""
