"""Job functions of the work channel: what a child does for one command of the state machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..config import PackageDefinition, Resource
from ..errors import MountError, VolumeError
from ..multipath.sysfs import list_maps
from ..volume.activation import activate_group, claim_group, deactivate_group, mount_file_systems, read_group, run_lvm
from ..volume.block import list_group_devices
from ..volume.mounting import find_mount
from .kinds import kill_package, prepare_resource, remove_empty_groups, running_resources, start_resource, stop_resource
from .spawn import bound_log


def activate(package: PackageDefinition) -> None:
    """Activate the volume group and mount its file systems."""
    activate_group(package.volume_group, package_devices(package))
    mount_file_systems(package.volume_group, package.file_systems)


def deactivate(package: PackageDefinition, deadline: float) -> None:
    """Unmount, deactivate, and prove that nothing is left."""
    deactivate_group(package.volume_group, package.file_systems, deadline)
    check_clean(package)
    remove_empty_groups(package)


def check_clean(package: PackageDefinition) -> None:
    """Raise with the first thing of the package that is mounted, active or running here."""
    left = remains(package)
    if left:
        raise VolumeError(f"still here: {', '.join(left)}", package=package.name)


def remains(package: PackageDefinition) -> tuple[str, ...]:
    """Everything of the package that is on this node now."""
    mounted = [f"mount {system.path}" for system in package.file_systems if find_mount(system.path) is not None]
    active = [f"volume {name}" for name in list_group_devices(package.volume_group)]
    return (*running_resources(package), *mounted, *active)


def start(resource: Resource, deadline: float) -> dict[str, int]:
    """Start one resource."""
    return start_resource(resource, deadline)


def stop(resource: Resource, fast: bool, deadline: float) -> None:
    """Stop one resource."""
    stop_resource(resource, fast, deadline)


def kill(package: PackageDefinition, deadline: float) -> None:
    """Kill everything of the package."""
    kill_package(package, deadline)


def claim(package: PackageDefinition) -> bool:
    """Write this node's LVM system id into the volume group; done while the package already serves."""
    devices = package_devices(package)
    group, _ = read_group(package.volume_group, devices)
    system_id = run_lvm(["systemid"]).partition(":")[2].strip()
    return bool(system_id) and claim_group(group, devices, system_id)


def prepare(package: PackageDefinition) -> tuple[str, ...]:
    """Bring programs and file system drivers into memory before they are needed; returns what is missing here."""
    for resource in package.resources:
        bound_log(package.name, resource.name)
    problems = [problem for resource in package.resources for problem in prepare_resource(resource)]
    fstypes = {system.fstype for system in package.file_systems}
    known = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
    for fstype in sorted(fstypes - known):
        # Otherwise the kernel starts modprobe in the middle of the first mount.
        if subprocess.run(["modprobe", fstype], capture_output=True).returncode != 0:
            problems.append(f"no driver for file system {fstype}")
    return tuple(problems)


def package_devices(package: PackageDefinition) -> tuple[str, ...]:
    """Device nodes of the package's data LUNs; raises MountError where a map is missing."""
    maps = list_maps()
    missing = [lun.name for lun in package.luns if lun.wwid not in maps]
    if missing:
        raise MountError(f"no multipath map for {', '.join(missing)}", package=package.name)
    return tuple(maps[lun.wwid].device for lun in package.luns)
