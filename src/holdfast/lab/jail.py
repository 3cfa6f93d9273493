"""The root directory of a User-Mode Linux process: its libraries, what it is given, and nothing else of the host."""

from __future__ import annotations

from pathlib import Path

from holdfast.lab.command import run


def mount_jail(jail: Path, **folders: Path) -> None:
    """Mount what the kernel process needs into `jail`, and each of `folders` under its keyword's name.

    Only inside a mount namespace of one's own (holdfast.lab.namespaces): the mounts are gone with it.
    """
    run(["mount", "-t", "proc", "proc", str(jail / "proc")])
    run(["mount", "-t", "tmpfs", "tmpfs", str(jail / "tmp")])
    run(["mount", "--rbind", "/dev", str(jail / "dev")])
    for name, folder in folders.items():
        run(["mount", "--bind", str(folder), str(jail / name)])


def unmount_jail(jail: Path) -> None:
    """Undo `mount_jail` while the namespace lives on; lazily, since parts of /dev may be mounted more than once."""
    for name in ("proc", "tmp", "dev"):
        run(["umount", "--lazy", str(jail / name)])
