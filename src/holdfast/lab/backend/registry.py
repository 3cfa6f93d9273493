"""Which backends there are."""

from __future__ import annotations

from holdfast.lab.backend import Backend
from holdfast.lab.backend.qemu import Qemu
from holdfast.lab.backend.uml import UserModeLinux

BACKENDS: dict[str, type[Backend]] = {"uml": UserModeLinux, "qemu": Qemu}


def backend_by_name(name: str) -> Backend:
    return BACKENDS[name]()
