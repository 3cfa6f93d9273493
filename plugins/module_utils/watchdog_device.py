# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds out what stands behind a watchdog device, without opening it.

Opening a watchdog starts it, and closing it wrongly resets the node, so everything is read from sysfs
(Documentation/ABI/testing/sysfs-class-watchdog).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .command import run
from .errors import HoldfastError
from .resource import Action, Resource


def read_watchdog(device, sysfs="/sys"):
    """Identity, state and timeout of a watchdog; C(None) where the device does not exist.

    Raises L(HoldfastError) where the path is something else, such as the plain file that a
    careless C(echo > /dev/watchdog9) leaves behind.
    """
    try:
        found = Path(device).stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISCHR(found.st_mode):
        raise HoldfastError(f"{device} is not a character device; remove it and name the right one", device=device)
    node = Path(sysfs, "dev", "char", f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}").resolve()
    entry = _find_class_entry(node, Path(sysfs, "class", "watchdog"))
    if entry is None:
        raise HoldfastError(f"{device} is not of the kernel's watchdog class; nobody can tell what it does", device=device)
    known = {name: _read(entry / name) for name in ("identity", "state", "timeout", "nowayout")}
    return {**known, "only_one": len(list(entry.resolve().parent.iterdir())) == 1}


def _find_class_entry(node, directory):
    """The device itself, or watchdog0 for the legacy device 10:130, which stands for it (drivers/watchdog)."""
    name = "watchdog0" if node.name == "watchdog" else node.name
    entry = directory / name
    return entry if entry.exists() else None


def _read(path):
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return None


class Watchdog(Resource):
    """A watchdog whose driver is loaded and is the expected one."""

    def __init__(self, device, driver, identity):
        self.device = device
        self.driver = driver
        self.identity = identity

    def read(self):
        """The device as it is, and whether the driver's module is loaded."""
        return {
            "device": self.device,
            "driver_loaded": self._is_driver_loaded(),
            "watchdog": read_watchdog(self.device),
        }

    def _is_driver_loaded(self):
        """A driver built into the kernel has a directory here as well, if it has parameters."""
        return Path("/sys/module", self.driver.replace("-", "_")).exists()

    def plan(self, before):
        """Load the driver, or refuse a device that another driver stands behind."""
        if before["watchdog"] is None:
            return [Action("load", self.driver)] if not before["driver_loaded"] else [Action("wait for", self.device)]
        found = before["watchdog"]["identity"]
        if found is None and before["driver_loaded"] and before["watchdog"]["only_one"]:
            # A kernel without CONFIG_WATCHDOG_SYSFS tells no identity; the only watchdog is the loaded driver's.
            return []
        if self.identity.lower() not in (found or "").lower():
            raise HoldfastError(
                f"{self.device} is {found!r}, not {self.identity!r}: it would not reset this node in time; "
                "look into /sys/class/watchdog/*/identity for the right device",
                device=self.device,
                identity=found,
            )
        return []

    def apply(self, action):
        """Load the driver and wait until udev has made its device."""
        if action.verb == "load":
            run(["modprobe", "--", self.driver])
        run(["udevadm", "settle", "--timeout=10", f"--exit-if-exists={self.device}"])

    def expect(self, before):
        """The device as it will be."""
        return {**before, "driver_loaded": True, "watchdog": {"identity": self.identity}}
