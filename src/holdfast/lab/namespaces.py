"""Run a process tree in namespaces of its own, so that its end takes everything with it.

One place makes them, for the lab's supervisor and for image builds alike: a new PID namespace (killing its first process
kills every other one in it), a new mount namespace (its mounts are gone with it) and, for a lab, a new network namespace.
An ordinary user gets a user namespace around them, in which he is root over his own subordinate ids.
"""

from __future__ import annotations

import os


def isolated(argv: list[str], *, network: bool) -> list[str]:
    """`argv` wrapped so that it runs in new namespaces and dies with its parent `unshare` process (unshare(1))."""
    wrapper = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation", "private"]
    if network:
        wrapper.append("--net")
    if os.geteuid() != 0:
        wrapper += ["--user", "--map-auto", "--map-root-user"]
    return [*wrapper, "--", *argv]
