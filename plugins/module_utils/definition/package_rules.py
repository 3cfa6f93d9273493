"""Rules about packages: members, mount points, resources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from .cluster_rules import member_names
from .problems import Problem, find_duplicates

#: Directories of the system, where a mount would hide what the node needs to live (hier(7)).
_SYSTEM_PATHS = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sbin", "/sys", "/usr")
_SYSTEM_ROOTS = ("/var", "/var/lib", "/var/log", "/home", "/tmp", "/opt", "/srv", "/mnt", "/media")
_DATABASES = ("postgresql", "mariadb")

Located = list[tuple[str, dict[str, Any]]]


def check_packages(packages: list[dict[str, Any]], cluster: dict[str, Any]) -> list[Problem]:
    """What is wrong with the packages, taken together: on one node all of them may run side by side."""
    located: Located = [(f"holdfast_packages[{index}]", package or {}) for index, package in enumerate(packages)]
    problems = find_duplicates(((f"{path}.name", package["name"]) for path, package in located if package.get("name")), "package")
    for path, package in located:
        problems += _check_nodes(path, package, member_names(cluster))
        problems += _check_resources(path, package)
    problems += find_duplicates(_volume_groups(located), "volume group")
    problems += _check_mount_points(located)
    problems += _check_shared_names(located)
    return problems


def _check_nodes(path: str, package: dict[str, Any], members: list[str]) -> list[Problem]:
    nodes = [(f"{path}.nodes[{index}]", name) for index, name in enumerate(package.get("nodes") or []) if name]
    problems = find_duplicates(nodes, "node")
    problems += [Problem(where, f"{name} is not in holdfast_cluster.nodes") for where, name in nodes if name not in members]
    if len(nodes) == 1:
        problems.append(Problem(f"{path}.nodes", "one node cannot fail over; name at least two"))
    return problems


def _volume_groups(located: Located) -> Iterator[tuple[str, object]]:
    for path, package in located:
        group = (package.get("storage") or {}).get("volume_group")
        if group:
            yield f"{path}.storage.volume_group", group


def filesystems(path: str, package: dict[str, Any]) -> Located:
    """The file systems of a package with their paths in the inventory."""
    items = (package.get("storage") or {}).get("filesystems") or []
    return [(f"{path}.storage.filesystems[{index}]", item or {}) for index, item in enumerate(items)]


def _check_mount_points(located: Located) -> Iterator[Problem]:
    seen: list[tuple[str, PurePosixPath]] = []
    for path, package in located:
        yield from find_duplicates(
            [(f"{where}.volume", item["volume"]) for where, item in filesystems(path, package) if item.get("volume")],
            "volume",
        )
        for where, item in filesystems(path, package):
            if not item.get("path"):
                continue
            mount_point = PurePosixPath(item["path"])
            yield from _check_mount_point(f"{where}.path", mount_point, seen)
            seen.append((f"{where}.path", mount_point))


def _check_mount_point(path: str, mount_point: PurePosixPath, seen: list[tuple[str, PurePosixPath]]) -> Iterator[Problem]:
    if ".." in mount_point.parts:
        yield Problem(path, f"{mount_point} must not contain ..")
    if str(mount_point) in _SYSTEM_ROOTS or any(mount_point.is_relative_to(system) for system in _SYSTEM_PATHS):
        yield Problem(path, f"{mount_point} belongs to the system")
    for other_path, other in seen:
        if mount_point == other:
            yield Problem(path, f"{mount_point} is already mounted by {other_path}")
        elif mount_point.is_relative_to(other) or other.is_relative_to(mount_point):
            yield Problem(path, f"{mount_point} and {other} of {other_path} are nested")


def _check_resources(path: str, package: dict[str, Any]) -> Iterator[Problem]:
    mount_points = [item["path"] for _where, item in filesystems(path, package) if item.get("path")]
    for index, resource in enumerate(package.get("resources") or []):
        where = f"{path}.resources[{index}]"
        classes = [name for name, value in (resource or {}).items() if value is not None]
        if len(classes) != 1:
            yield Problem(where, f"must name exactly one class, not {len(classes)}")
        for name in _DATABASES:
            directory = ((resource or {}).get(name) or {}).get("data_directory")
            if directory and not any(PurePosixPath(point) in PurePosixPath(directory).parents for point in mount_points):
                yield Problem(f"{where}.{name}.data_directory", f"{directory} is not below a file system of this package")


def _check_shared_names(located: Located) -> Iterator[Problem]:
    ports: list[tuple[str, object]] = []
    directories: list[tuple[str, object]] = []
    units: list[tuple[str, object]] = []
    for path, package in located:
        for index, resource in enumerate(package.get("resources") or []):
            where = f"{path}.resources[{index}]"
            for name in _DATABASES:
                database = (resource or {}).get(name) or {}
                ports += [(f"{where}.{name}.port", database["port"])] if database.get("port") else []
                directories += (
                    [(f"{where}.{name}.data_directory", database["data_directory"])] if database.get("data_directory") else []
                )
            unit = (resource or {}).get("systemd")
            units += [(f"{where}.systemd", unit)] if unit else []
    yield from find_duplicates(ports, "port")
    yield from find_duplicates(directories, "data directory")
    yield from find_duplicates(units, "unit")
