"""OCF agents of the distribution as resources (OCF resource agent API 1.1)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

from ..config import Resource
from ..errors import DeadlineError, ResourceError
from .control_group import ControlGroup
from .ocf_metadata import OcfMetadata, find_parameter_problems, parse_metadata

_ROOT = Path("/usr/lib/ocf")
# OCF resource agent API 1.1, "Exit status codes"; 190 and 191 are its "degraded" ones.
_SUCCESS, _UNIMPLEMENTED, _NOT_RUNNING, _DEGRADED = 0, 3, 7, 190
_MEANINGS = {
    1: "generic error", 2: "invalid parameter", 3: "action not implemented", 4: "insufficient privileges",
    5: "not installed", 6: "not configured", 7: "not running", 8: "running in promoted role",
    9: "failed in promoted role", 190: "degraded", 191: "degraded in promoted role",
}  # fmt: skip
_METADATA_SECONDS = 20.0


def start(resource: Resource, deadline: float) -> dict[str, int]:
    """Validate, start, and return when the agent's own monitor says that it runs."""
    _check_parameters(resource)
    _expect(resource, "validate-all", deadline, (_SUCCESS, _UNIMPLEMENTED))
    group = ControlGroup(resource.package, resource.name)
    group.create()
    _expect(resource, "start", deadline, (_SUCCESS,), group)
    check(resource, deadline)
    return {}


def stop(resource: Resource, fast: bool, deadline: float) -> None:
    """Stop, and make sure that nothing is left in the resource's control group."""
    _expect(resource, "stop", deadline, (_SUCCESS,))
    ControlGroup(resource.package, resource.name).kill(deadline)


def check(resource: Resource, deadline: float) -> None:
    """Ask the agent's monitor; degraded still serves."""
    _expect(resource, "monitor", deadline, (_SUCCESS, _DEGRADED))


def is_down(resource: Resource, deadline: float) -> bool:
    """Whether the agent's monitor says "not running"."""
    return _run(resource, "monitor", deadline)[0] == _NOT_RUNNING


def program(resource: Resource) -> None:
    """Nothing to read ahead, but the agent has to be installed and its parameters known; raises ResourceError."""
    _check_parameters(resource)


def agent_path(resource: Resource) -> Path:
    """The agent's program; raises ResourceError where it is not installed."""
    provider, _, name = str(resource.settings["agent"]).partition(":")
    path = _ROOT / "resource.d" / provider / name
    if not os.access(path, os.X_OK):
        raise ResourceError(f"OCF agent {path} is not installed", resource=resource.name)
    return path


def build_environment(resource: Resource, timeout_seconds: float) -> dict[str, str]:
    """The environment that the agent is promised; parameters become OCF_RESKEY_*."""
    provider, _, name = str(resource.settings["agent"]).partition(":")
    parameters: Mapping[str, object] = resource.settings.get("parameters", {})
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "OCF_ROOT": str(_ROOT),
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RA_VERSION_MINOR": "1",
        "OCF_RESOURCE_INSTANCE": f"{resource.package}-{resource.name}".replace(":", "-"),
        "OCF_RESOURCE_TYPE": name,
        "OCF_RESOURCE_PROVIDER": provider,
        "OCF_RESKEY_CRM_meta_timeout": str(int(timeout_seconds * 1000)),
        **{f"OCF_RESKEY_{key}": _text(value) for key, value in parameters.items()},
    }


def _text(value: object) -> str:
    """OCF parameters are text; its booleans are spelled true and false."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expect(
    resource: Resource, action: str, deadline: float, good: tuple[int, ...], group: ControlGroup | None = None
) -> None:
    code, output = _run(resource, action, deadline, group)
    if code not in good:
        meaning = _MEANINGS.get(code, f"exit code {code}")
        raise ResourceError(f"{resource.settings['agent']} {action}: {meaning}: {output}", exit_code=code)


def _run(resource: Resource, action: str, deadline: float, group: ControlGroup | None = None) -> tuple[int, str]:
    """Run one action within the smaller of its own timeout and the deadline; returns exit code and last words."""
    path = agent_path(resource)
    own_limit = _metadata(str(path)).timeouts.get(action, 0.0)
    remaining = deadline - time.monotonic()
    timeout = min(remaining, own_limit) if own_limit else remaining
    # Into a file: a daemon that the agent leaves behind keeps its output open, and a pipe would be waited for.
    with TemporaryFile() as output:
        try:
            result = subprocess.run(
                [str(path), action], env=build_environment(resource, timeout), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, timeout=max(0.0, timeout), preexec_fn=group.enter if group else None,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DeadlineError(f"{resource.settings['agent']} {action} did not end in {timeout:.1f} s") from error
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").strip().splitlines()
    return result.returncode, lines[-1] if lines else ""


@cache
def _metadata(path: str) -> OcfMetadata:
    result = subprocess.run(
        [path, "meta-data"], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "OCF_ROOT": str(_ROOT), "LC_ALL": "C"},
        capture_output=True, text=True, timeout=_METADATA_SECONDS,
    )  # fmt: skip
    if result.returncode != _SUCCESS:
        raise ResourceError(f"{path} meta-data: exit code {result.returncode}")
    return parse_metadata(result.stdout)


def _check_parameters(resource: Resource) -> None:
    metadata = _metadata(str(agent_path(resource)))
    problems = find_parameter_problems(metadata, resource.settings.get("parameters", {}))
    if problems:
        raise ResourceError(f"{resource.settings['agent']}: {', '.join(problems)}", resource=resource.name)
