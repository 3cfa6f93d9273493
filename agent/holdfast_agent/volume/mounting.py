"""mount(2) and umount2(2) through the C library: no mount helper, no fork, no lazy unmount."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from ..errors import MountError
from ..waiting import wait_for
from .block import Mount, list_mounts
from .holders import end_holders

_LIBC = ctypes.CDLL(None, use_errno=True)
# include/uapi/linux/mount.h
_FLAGS = {
    "ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "sync": 16, "dirsync": 128, "noatime": 1024, "nodiratime": 2048,
    "relatime": 1 << 21, "strictatime": 1 << 24, "lazytime": 1 << 25,
}  # fmt: skip
# Words for fstab, mount(8) and systemd, which the kernel does not know.
_USER_SPACE_WORDS = ("defaults", "rw", "auto", "noauto", "nofail", "_netdev", "user", "nouser", "exec", "suid", "dev")
_UMOUNT_NOFOLLOW = 8
_BUSY_POLL_SECONDS = 0.02


def split_options(options: str) -> tuple[int, str]:
    """Mount flags and the file system's own options of an fstab-style option list."""
    flags, own = 0, []
    for option in filter(None, options.split(",")):
        if option in _FLAGS:
            flags |= _FLAGS[option]
        elif option not in _USER_SPACE_WORDS and not option.startswith("x-"):
            own.append(option)
    return flags, ",".join(own)


def find_mount(path: str) -> Mount | None:
    """What is mounted at exactly this path, the uppermost where several are."""
    return next((mount for mount in reversed(list_mounts()) if mount.path == path), None)


def mount_device(device: str, device_number: str, path: str, fstype: str, options: str) -> None:
    """Mount a device; being mounted there already is success, another device there is an error."""
    present = find_mount(path)
    if present is not None:
        if present.device_number == device_number:
            return
        raise MountError(f"{path} is taken by device {present.device_number}", path=path)
    Path(path).mkdir(parents=True, exist_ok=True)
    flags, own = split_options(options)
    if _LIBC.mount(device.encode(), path.encode(), fstype.encode(), ctypes.c_ulong(flags), own.encode()) != 0:
        number = ctypes.get_errno()
        raise MountError(f"{device} cannot be mounted on {path}: {os.strerror(number)}", path=path, errno=number)
    if fstype == "xfs":
        fail_metadata_errors(device)


def fail_metadata_errors(device: str, sysfs: Path = Path("/sys")) -> None:
    """Have XFS give up on metadata it cannot write.

    Its default retries EIO for ever (kernel documentation, admin-guide/xfs.rst): an unmount on lost storage would
    never end, and neither would the clean stop that an ejected node owes.
    """
    directory = sysfs / "fs/xfs" / Path(device).name / "error"
    for attribute in (directory / "metadata/EIO/max_retries", directory / "metadata/default/max_retries"):
        if attribute.exists():
            attribute.write_text("0")


def unmount(path: str, deadline: float) -> None:
    """Unmount a path; processes that hold it are ended, first asked and then forced.

    Raises MountError where it is still mounted at ``deadline`` (monotonic seconds).
    """
    number = wait_for(lambda: _try_unmount(path, deadline), deadline, _BUSY_POLL_SECONDS, lambda code: code != errno.EBUSY)
    if number:
        raise MountError(f"{path} cannot be unmounted: {os.strerror(number)}", path=path, errno=number)


def _try_unmount(path: str, deadline: float) -> int:
    """Errno of taking everything off the path, 0 where nothing is mounted there any more; holders of a busy one are ended."""
    while find_mount(path) is not None:
        if _LIBC.umount2(path.encode(), _UMOUNT_NOFOLLOW) != 0:
            number = ctypes.get_errno()
            if number == errno.EBUSY:
                end_holders(path, deadline)
            return 0 if number == errno.EINVAL else number
    return 0
