"""The gates, in the order in which they run: cheap ones first."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
TESTED_PYTHON = ("src", "agent", "model", "plugins", "tests", "benchmarks", "molecule")


@dataclass(frozen=True)
class Stage:
    """One gate. `quick` ones need no nodes; `pytest` ones report each of their tests.

    `extra` ones run where they are asked for, with --all or by name: together with the others they take more time than a
    change can wait.
    """

    name: str
    purpose: str
    argv: tuple[str, ...]
    quick: bool = True
    extra: bool = False
    pytest: bool = False
    timeout_seconds: float = 900
    packages: tuple[str, ...] = ()  # Debian packages that it needs on this machine
    environment: tuple[tuple[str, str], ...] = ()


def _tool(name: str, *words: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name(name)), *words)


def _pytest(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words)


def _molecule(name: str, purpose: str, *scenarios: str, extra: bool = False) -> Stage:
    return Stage(
        name,
        purpose,
        (sys.executable, "-m", "holdfast.suite.molecule", *scenarios),
        quick=False,
        extra=extra,
        timeout_seconds=2700,
        environment=(("HOLDFAST_SLOWNESS", "3"),),
        packages=("mmdebstrap", "openssh-client", "iproute2"),
    )


def all_stages() -> list[Stage]:
    return [
        Stage("ruff", "style and mistakes in Python", _tool("ruff", "check", *existing(TESTED_PYTHON))),
        Stage("mypy", "types of src/ and agent/, strict", _tool("mypy", "src/holdfast", "agent/holdfast_agent")),
        Stage("yamllint", "form of all YAML", _tool("yamllint", "--strict", ".")),
        Stage(
            "ansible-lint",
            "roles, playbooks and plugins, profile production",
            _tool("ansible-lint", "--offline", "--nocolor"),
            environment=(("ANSIBLE_INVENTORY", "/dev/null"),),
        ),
        Stage(
            "sanity",
            "ansible-test sanity of the built collection",
            (sys.executable, "-m", "holdfast.suite.sanity"),
            quick=False,  # its first run fetches an environment for each test
            timeout_seconds=1800,
        ),
        # Before the unit tests, one of which looks at every pinned tool that is installed.
        Stage("docs", "the documentation as a site, strictly", (sys.executable, "-m", "holdfast", "docs", "build"), quick=False),
        Stage(
            "unit",
            "unit tests and drift checks",
            _pytest("tests/unit", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"),  # each process: 400 MiB
            pytest=True,
            packages=("spin", "gcc", "libc6-dev"),  # fresh traces of the model
        ),
        Stage(
            "collection",
            "the tarball, installed elsewhere and used by full names",
            _pytest("tests/collection"),
            pytest=True,
            packages=("git",),
        ),
        Stage(
            "model",
            "the ownership protocol, with every guard removed in turn",
            (sys.executable, "model/check.py"),
            quick=False,
            timeout_seconds=2400,
            packages=("spin", "gcc", "libc6-dev"),
        ),
        Stage(
            "lab",
            "every verb of the lab on real nodes, both backends, root and ordinary user",
            _pytest("tests/integration/lab", "-m", "lab"),
            quick=False,
            pytest=True,
            timeout_seconds=2700,
            environment=(("HOLDFAST_SLOWNESS", "3"),),  # only how long is waited at most; nothing is judged by it
            packages=("mmdebstrap", "uidmap", "qemu-system-x86", "qemu-utils", "openssh-client", "iproute2", "git"),
        ),
        Stage(
            "drills",
            "drills, deliberate breaks and a short campaign on a cluster of real nodes",
            _pytest("tests/integration/drill", "-m", "lab"),
            quick=False,
            pytest=True,
            timeout_seconds=2700,
            environment=(("HOLDFAST_SLOWNESS", "3"),),
            packages=("mmdebstrap", "openssh-client", "iproute2", "git"),
        ),
        _molecule("molecule", "every role on real nodes, with default and changed inputs, checked and removed again",
                  "array", "node", "package"),
        _molecule("debian12", "the roles on nodes with Debian 12", "debian12", extra=True),
        _molecule("erp", "the ERP's application servers, inside a package and outside it", "erp", extra=True),
        Stage(
            "cluster",
            "storage, agent, poolers and playbooks on one built cluster",
            _pytest(*(f"tests/integration/{part}" for part in ("storage", "agent", "pooler", "site")), "-m", "lab"),
            quick=False,
            extra=True,
            pytest=True,
            timeout_seconds=3600,
            environment=(("HOLDFAST_SLOWNESS", "3"),),
            packages=("mmdebstrap", "openssh-client", "iproute2"),
        ),
    ]


def existing(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if (ROOT / name).exists()]
