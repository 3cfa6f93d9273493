"""One machine of a lab: its power, its cables, its shell. What answers on the other side is supervisor/node.py."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.lab.client import ask, ask_for_descriptor
from holdfast.lab.command import environment
from holdfast.lab.errors import LabError
from holdfast.lab.folder import Folder
from holdfast.lab.topology import Machine
from holdfast.lab.wait import wait_for

BOOT_SECONDS = {"uml": 90.0, "qemu": 300.0}     # to SSH; measured 6 s and 60 s (TCG) for one node, more for eight
SSH_LOST = 255                # ssh(1): "255 if an error occurred"


@dataclass(frozen=True)
class Done:
    """How a command on a node ended."""

    code: int
    stdout: str
    stderr: str


class RemoteError(LabError):
    """A command on a node said no: it ran and ended with another code than 0."""


class ConnectionLost(LabError):
    """The node could not be reached, or the connection broke: nothing is known about the command."""


class Node:
    """One machine of a lab that runs."""

    def __init__(self, folder: Folder, machine: Machine) -> None:
        self.folder, self.machine, self.name = folder, machine, machine.name

    def _ask(self, verb: str, **words: Any) -> bool:
        return bool(ask(self.folder.control, verb, node=self.name, **words))

    def power_on(self) -> bool:
        """Switch on; does not wait for the system to come up. False when it was on."""
        return self._ask("power_on")

    def power_off(self) -> bool:
        """Cut the power, at once and without warning. False when it was off."""
        return self._ask("power_off")

    def power_cycle(self) -> None:
        """Cut the power and switch on again at once; does not wait for the system to come up."""
        self.power_off()
        self.power_on()

    def freeze(self) -> bool:
        """Stop the machine where it stands (SIGSTOP); its disks and neighbours go on. False when it was frozen."""
        return self._ask("freeze")

    def thaw(self) -> bool:
        """Let it go on. False when it was not frozen."""
        return self._ask("thaw")

    def unplug(self, network: str) -> bool:
        """Pull the cable of that network. False when it was out."""
        return self._ask("unplug", network=network)

    def plug(self, network: str) -> bool:
        """Put the cable back. False when it was in."""
        return self._ask("plug", network=network)

    def status(self) -> dict[str, Any]:
        """state (on, off, frozen, failed), role, boots, pid, uptime_seconds, memory_mib, unplugged (networks), and in words
        last_exit and reason; null where there is nothing to say."""
        data: dict[str, Any] = ask(self.folder.control, "status")[self.name]
        return data

    @property
    def addresses(self) -> dict[str, str]:
        """Address by network, without prefix length."""
        return {name: str(address.ip) for name, address in self.folder.read().topology.addresses(self.machine).items()}

    @property
    def console_log(self) -> Path:
        return self.folder.node(self.name) / "console.log"

    def ssh_command(self, *words: str) -> list[str]:
        """The call of ssh for this node; the words may begin with options of ssh."""
        return ["ssh", "-F", str(self.folder.ssh_config), self.name, *words]

    def execute(self, argv: list[str] | str, *, stdin: str | None = None, timeout_seconds: float = 60) -> Done:
        """Run a command as root. A list is passed word by word, a string goes to the node's shell.

        ConnectionLost when ssh itself failed or the time was over.
        """
        words = argv if isinstance(argv, str) else " ".join(_quoted(word) for word in argv)
        try:
            done = subprocess.run(self.ssh_command("-T", words), input=stdin, capture_output=True, text=True,
                                  timeout=timeout_seconds, env=environment(), check=False,
                                  stdin=subprocess.DEVNULL if stdin is None else None)
        except subprocess.TimeoutExpired as error:
            raise ConnectionLost(f"{self.name}: '{words[:60]}' did not end within {timeout_seconds:.0f} s") from error
        if done.returncode == SSH_LOST:
            raise ConnectionLost(f"{self.name}: {done.stderr.strip() or 'the connection broke'}")
        return Done(done.returncode, done.stdout, done.stderr)

    def succeed(self, argv: list[str] | str, *, stdin: str | None = None, timeout_seconds: float = 60) -> str:
        """Run a command that must end with 0, and return what it printed."""
        done = self.execute(argv, stdin=stdin, timeout_seconds=timeout_seconds)
        if done.code != 0:
            raise RemoteError(f"{self.name}: {argv} ended with {done.code}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def answers(self) -> bool:
        """Whether the SSH server greets (RFC 4253, section 4.2)."""
        try:
            with ask_for_descriptor(self.folder.control, "connect", node=self.name, port=22) as connection:
                connection.settimeout(3)
                return connection.recv(4) == b"SSH-"
        except (LabError, OSError):
            return False

    def wait_until_up(self, timeout_seconds: float | None = None) -> None:
        """Until SSH answers; ends early when the machine is off or does not start."""
        def final_state() -> str | None:
            status = self.status()
            return {"off": "it is powered off", "failed": status["reason"], "frozen": "it is frozen"}.get(status["state"])

        wait_for(f"{self.name} comes up", lambda: self.answers() or None, stop=final_state,
                 timeout_seconds=timeout_seconds or BOOT_SECONDS[self.folder.read().backend])

    def wait_until_rebooted(self, boots: int, timeout_seconds: float = 60) -> None:
        """Until the machine has started more often than `boots` times and answers again."""
        wait_for(f"{self.name} starts again", lambda: self.status()["boots"] > boots or None,
                 timeout_seconds=timeout_seconds)
        self.wait_until_up()


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
