"""What sysfs and /proc say about mapped devices and mounts; nothing here asks the storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..small_files import names_in, read_small
from .group import mapper_name


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo."""

    device_number: str
    path: str
    fstype: str


def list_mounts(mountinfo: Path = Path("/proc/self/mountinfo")) -> tuple[Mount, ...]:
    """Every mount of this process' namespace, in mounting order."""
    return tuple(parse_mountinfo_line(line) for line in mountinfo.read_text().splitlines())


def parse_mountinfo_line(line: str) -> Mount:
    """proc(5), /proc/pid/mountinfo: fields before and after the lone dash; spaces in paths are octal escapes."""
    before, _, after = line.partition(" - ")
    fields = before.split()
    return Mount(fields[2], _unescape(fields[4]), after.split()[0])


def list_group_devices(group: str, sysfs: Path = Path("/sys")) -> dict[str, str]:
    """Active volumes of a group as mapper name to kernel name, also where the storage no longer answers."""
    prefix = mapper_name(group, "")
    found = {}
    for kernel_name in names_in(f"{sysfs}/block"):
        if not kernel_name.startswith("dm-"):
            continue
        name, uuid = (_read(f"{sysfs}/block/{kernel_name}/dm/{attribute}") for attribute in ("name", "uuid"))
        # A dash behind the prefix would be a doubled one: another group whose name begins with ours.
        if uuid.startswith("LVM-") and name.startswith(prefix) and not name.startswith(prefix + "-"):
            found[name] = kernel_name
    return found


def device_number(kernel_name: str, sysfs: Path = Path("/sys")) -> str:
    """ "major:minor" of a block device by its kernel name; empty where it is gone."""
    return _read(f"{sysfs}/block/{kernel_name}/dev")


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _read(path: str) -> str:
    try:
        return read_small(path).strip()
    except OSError:
        return ""
