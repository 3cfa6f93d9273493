"""The watchdog character device (kernel documentation, watchdog/watchdog-api.rst).

Once opened, it resets the node unless it is fed. It is disarmed only by an orderly detach; an agent that dies leaves
it armed, and the next agent has to be there in time.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from pathlib import Path

from ..errors import WatchdogError

# include/uapi/linux/watchdog.h: _IOR('W', 0, struct watchdog_info), _IOR('W', 5, int) and _IOWR('W', 6, int).
_GET_SUPPORT, _KEEP_ALIVE, _SET_TIMEOUT = 0x80285700, 0x80045705, 0xC0045706
_INTEGER, _INFO = struct.Struct("i"), struct.Struct("II32s")
_DISARM = b"V"


class Watchdog:
    """An open, armed watchdog."""

    def __init__(self, handle: int, margin_seconds: int, identity: str) -> None:
        self._handle = handle
        self.margin_seconds = margin_seconds
        self.identity = identity

    def feed(self) -> None:
        """Put the reset off by one margin."""
        fcntl.ioctl(self._handle, _KEEP_ALIVE, _INTEGER.pack(0))

    def disarm(self) -> None:
        """Stop the countdown and close: only for an orderly detach, when nothing of a package depends on us."""
        os.write(self._handle, _DISARM)
        os.close(self._handle)


def check_device(path: str, sysfs: Path = Path("/sys")) -> None:
    """Raise WatchdogError where a node is not a watchdog of this kernel.

    Opening a name that does not exist would make a plain file, which can be fed for ever and protects nobody.
    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise WatchdogError(f"{path}: {error.strerror}", device=path) from error
    if not stat.S_ISCHR(status.st_mode):
        raise WatchdogError(f"{path} is not a character device", device=path)
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    devices = (sysfs / "class/watchdog").glob("watchdog*")
    if number not in {(device / "dev").read_text().strip() for device in devices}:
        raise WatchdogError(f"{path} ({number}) is no watchdog known to the kernel", device=path)


def open_watchdog(path: str, margin_seconds: int) -> Watchdog:
    """Open and arm; raises WatchdogError where the device is busy or does not take the margin."""
    check_device(path)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        reason = "is held by another program" if error.errno == errno.EBUSY else str(error.strerror)
        raise WatchdogError(f"{path} {reason}", device=path) from error
    try:
        taken = _INTEGER.unpack(fcntl.ioctl(handle, _SET_TIMEOUT, _INTEGER.pack(margin_seconds)))[0]
        identity = _INFO.unpack(fcntl.ioctl(handle, _GET_SUPPORT, bytes(_INFO.size)))[2].rstrip(b"\0").decode()
    except OSError as error:
        os.write(handle, _DISARM)
        os.close(handle)
        raise WatchdogError(f"{path} refuses a margin of {margin_seconds} s: {error.strerror}", device=path) from error
    return Watchdog(handle, taken, identity)
