"""The watchdog character device (kernel documentation, watchdog/watchdog-api.rst).

Once opened, it resets the node unless it is fed. It is disarmed only by an orderly detach; an agent that dies leaves
it armed, and the next agent has to be there in time. The kernel counts opening and the death of the holder as feeding,
so an agent that only opens it, again and again, would feed it for ever.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from ..errors import WatchdogError

# include/uapi/linux/watchdog.h: _IOR('W', 0, struct watchdog_info), _IOR('W', 5, int) and _IOWR('W', 6, int).
_GET_SUPPORT, _KEEP_ALIVE, _SET_TIMEOUT = 0x80285700, 0x80045705, 0xC0045706
_INTEGER, _INFO = struct.Struct("i"), struct.Struct("II32s")
_DISARM = b"V"
# In memory, as the countdown is: both are gone after a boot.
ARMED_MARK = Path("/run/holdfast/watchdog-armed")


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


class Countdown:
    """The node's watchdog over the agents of one boot: armed by the first one, handed from one that died to the next.

    One that was handed over is opened with the first feeding and not before it.
    """

    def __init__(self, device: str, open_device: Callable[[], Watchdog], mark: Path = ARMED_MARK) -> None:
        self._open, self._mark = open_device, mark
        self._watchdog: Watchdog | None = None
        self.inherited = mark.exists()
        """An agent before this one left it running."""
        if self.inherited:
            check_device(device)
        else:
            self._arm()

    @property
    def identity(self) -> str | None:
        """What the driver calls itself; None until an inherited one was opened."""
        return self._watchdog.identity if self._watchdog else None

    def feed(self) -> None:
        """Put the reset off by one margin; raises WatchdogError where the device cannot be opened for it."""
        if self._watchdog is None:
            self._arm()
        else:
            self._watchdog.feed()

    def disarm(self) -> None:
        """Stop the countdown: only for an orderly end, when nothing of a package depends on it."""
        watchdog = self._watchdog or self._open()
        watchdog.disarm()
        self._watchdog = None
        self._mark.unlink(missing_ok=True)

    def _arm(self) -> None:
        # The mark first: a countdown without a mark would be fed by the next agent's opening.
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        self._mark.touch()
        try:
            self._watchdog = self._open()
        except WatchdogError:
            if not self.inherited:  # nothing runs: the next agent must not take it for a countdown and begin without one
                self._mark.unlink()
            raise


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
