"""System V shared memory that a server left behind when it was killed.

PostgreSQL's next start looks whether the old segment is still attached, and ends where it is. The key is the inode of its data
directory, and the data directories of several packages often have the same one, each on its own file system. Servers that start
beside each other then attach to each other's old segment for a moment, to see whose it is, and one of them ends with
"pre-existing shared memory block is still in use" (src/backend/port/sysv_shmem.c). So the old segment goes before the start.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
# include/uapi/linux/ipc.h
_IPC_RMID = 0
# proc(5), /proc/sysvipc/shm: the columns of the segment's id and of the process that made it.
_ID_COLUMN, _CREATOR_COLUMN = 1, 4
_TABLE = Path("/proc/sysvipc/shm")


def remove_segment(identity: str, creator: int, table: Path = _TABLE) -> bool:
    """Remove the segment if it is there and was made by this process, which must have ended; whether it was removed.

    Ids start anew at each boot, so an old one may be another server's by now: that one's maker is alive.
    """
    if not is_segment_of(identity, creator, table):
        return False
    removed: bool = _LIBC.shmctl(int(identity), _IPC_RMID, None) == 0
    return removed


def is_segment_of(identity: str, creator: int, table: Path = _TABLE) -> bool:
    """Whether there is a segment of this id that this process made."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return False
    return any((row[_ID_COLUMN], row[_CREATOR_COLUMN]) == (identity, str(creator)) for row in rows)
