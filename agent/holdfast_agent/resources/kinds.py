"""Which module handles which type of resource, and what holds for a whole package."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType

from ..config import PackageDefinition, Resource
from ..errors import HoldfastError, ResourceError
from . import mariadb, ocf, postgresql, systemd_unit
from .control_group import ControlGroup, package_groups
from .transaction import Transaction
from .warm import warm_program

_KINDS: dict[str, ModuleType] = {
    "postgresql": postgresql,
    "mariadb": mariadb,
    "systemd": systemd_unit,
    "ocf": ocf,
}


def start_resource(resource: Resource, deadline: float) -> dict[str, int]:
    """Start a resource and return when it serves; the result may name its main process (``pid``)."""
    result: dict[str, int] = _kind(resource).start(resource, deadline)
    return result


def stop_resource(resource: Resource, fast: bool, deadline: float) -> None:
    """Stop a resource; one that does not run is stopped already."""
    _kind(resource).stop(resource, fast, deadline)


def check_resource(resource: Resource, deadline: float) -> None:
    """Raise where a running resource does not serve."""
    _kind(resource).check(resource, deadline)


def knows_transactions(resource: Resource) -> bool:
    """Whether `longest_transaction` can be asked of it."""
    return hasattr(_kind(resource), "longest_transaction")


def longest_transaction(resources: Sequence[Resource], deadline: float) -> Transaction | None:
    """The transaction that has been open for the longest time in any of the databases; None where there is none."""
    databases = [resource for resource in resources if knows_transactions(resource)]
    found: list[Transaction | None] = [_kind(resource).longest_transaction(resource, deadline) for resource in databases]
    return max((one for one in found if one is not None), key=lambda one: one.seconds, default=None)


def prepare_resource(resource: Resource) -> tuple[str, ...]:
    """Get the resource's programs into memory; returns why it could not run here, nothing where it could."""
    try:
        program = _kind(resource).program(resource)
        if program is not None:
            warm_program(program)
    except HoldfastError as error:
        return (str(error),)
    return ()


def kill_package(package: PackageDefinition, deadline: float) -> None:
    """Kill every process of the package, without asking the storage; tries everything before it reports.

    The databases first: systemd may be busy for longer than there is time.
    """
    problems = []
    groups = package_groups(package.name)
    for group in groups:
        with suppress(OSError):
            group.send_kill()
    for resource in package.resources:
        if resource.type == "systemd":
            try:
                systemd_unit.kill(resource)
            except HoldfastError as error:
                problems.append(str(error))
    for group in groups:
        try:
            group.kill(deadline)
        except (ResourceError, OSError) as error:
            problems.append(str(error))
    if problems:
        raise ResourceError("; ".join(problems))


def running_resources(package: PackageDefinition) -> tuple[str, ...]:
    """What of the package runs here: control groups with processes and units that are not down."""
    running = [group.path.name for group in package_groups(package.name) if group.processes()]
    units = [resource for resource in package.resources if resource.type == "systemd"]
    return tuple(running + [unit.name for unit in units if not systemd_unit.is_down(unit)])


def remove_empty_groups(package: PackageDefinition) -> None:
    """Remove the control groups of a stopped package."""
    for resource in package.resources:
        path = ControlGroup(package.name, resource.name).path
        if path.exists() and not ControlGroup(package.name, resource.name).processes():
            path.rmdir()


def _kind(resource: Resource) -> ModuleType:
    if resource.type not in _KINDS:
        raise ResourceError(f"unknown resource type {resource.type}", resource=resource.name)
    return _KINDS[resource.type]
