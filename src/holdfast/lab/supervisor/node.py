"""One machine of a running lab: its process, its console, its power switch.

Like a physical machine it starts again by itself after a crash, a panic, a watchdog reset or a reboot, and stays off after
a power-off or when somebody cut its power. Its disks survive; what its kernel had not yet written does not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import tty
from pathlib import Path
from typing import Any

from holdfast.lab.backend import Backend, Boot
from holdfast.lab.command import environment
from holdfast.lab.errors import UsageError
from holdfast.lab.supervisor.scheduling import favour
from holdfast.processes import list_processes

CONSOLE_LOG_LIMIT = 8 * 1024 * 1024    # bytes; a longer one is put aside when the machine starts
POWERED_DOWN = (b"reboot: Power down", b"reboot: System halted")   # kernel/reboot.c
QUICK_EXIT_SECONDS = 3.0      # nobody boots and reboots in that time: the kernel does not start
QUICK_EXITS_ALLOWED = 3


class Node:
    """Thread-safe. States: off, on, frozen, failed (it ended at once, several times). `processor`: the one it is bound to."""

    def __init__(self, boot: Boot, backend: Backend, processor: int | None = None) -> None:
        self.boot, self.backend, self.processor = boot, backend, processor
        self.name = boot.machine.name
        self.unplugged: set[str] = set()
        self._change = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._console = -1
        self._watchers: list[int] = []
        self._tail = b""
        self._frozen = False
        self._failed = ""
        self._boots = 0
        self._quick_exits = 0
        self._started = 0.0
        self._last_exit = ""

    @property
    def console_log(self) -> Path:
        return self.boot.directory / "console.log"

    @property
    def state(self) -> str:
        if self._failed:
            return "failed"
        if self._process is None:
            return "off"
        return "frozen" if self._frozen else "on"

    def status(self) -> dict[str, Any]:
        with self._change:
            return {"state": self.state, "role": self.boot.machine.role, "boots": self._boots,
                    "pid": self._process.pid if self._process else None,
                    "uptime_seconds": round(time.monotonic() - self._started, 1) if self._process else None,
                    "last_exit": self._last_exit or None, "unplugged": sorted(self.unplugged),
                    "reason": self._failed or None, "memory_mib": self.memory_mib()}

    def power_on(self) -> bool:
        """Start the machine; False when it runs already."""
        with self._change:
            if self._process is not None:
                return False
            self._failed, self._quick_exits = "", 0
            self._start()
            return True

    def power_off(self) -> bool:
        """Cut the power: nothing of the machine runs when this returns; False when it was off."""
        with self._change:
            process, self._process = self._process, None
            self._failed = ""
            if process is None:
                return False
            self._kill(process)
            self._last_exit = "power cut"
        process.wait()
        return True

    def freeze(self) -> bool:
        return self._signal(signal.SIGSTOP, frozen=True)

    def thaw(self) -> bool:
        return self._signal(signal.SIGCONT, frozen=False)

    def _signal(self, number: signal.Signals, *, frozen: bool) -> bool:
        with self._change:
            if self._process is None:
                raise UsageError(f"{self.name} is off")
            changed = self._frozen != frozen
            os.killpg(self._process.pid, number)
            self._frozen = frozen
            return changed

    def _start(self) -> None:
        """Start the process on a terminal of its own (caller holds the lock)."""
        if self.console_log.exists() and self.console_log.stat().st_size > CONSOLE_LOG_LIMIT:
            self.console_log.rename(self.console_log.with_suffix(".log.1"))
        master, slave = os.openpty()
        tty.setraw(slave)
        self._process = subprocess.Popen(self.backend.command(self.boot), stdin=slave, stdout=slave, stderr=slave,
                                         start_new_session=True, env=environment(HOME="/root", TMPDIR="/tmp"))
        os.close(slave)
        favour(self._process.pid, self.processor)
        self._console, self._tail, self._frozen = master, b"", False
        self._boots += 1
        self._started = time.monotonic()
        threading.Thread(target=self._follow, args=(self._process, master), daemon=True).start()

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        """SIGKILL for the whole group: User-Mode Linux runs its user processes as further processes."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()

    def _follow(self, process: subprocess.Popen[bytes], master: int) -> None:
        """Copy the console until the process ends, then decide whether it starts again."""
        with self.console_log.open("ab", buffering=0) as log:
            while True:
                try:
                    data = os.read(master, 65536)
                except OSError:       # EIO: the last holder of the other end is gone (pty(7))
                    break
                if not data:
                    break
                log.write(data)
                with self._change:
                    self._tail = (self._tail + data)[-4096:]
                    for watcher in list(self._watchers):
                        self._pass_on(watcher, data)
            process.wait()
            self._ended(process, master, log.fileno())

    def _pass_on(self, watcher: int, data: bytes) -> None:
        try:
            os.write(watcher, data)
        except OSError:
            self._watchers.remove(watcher)
            os.close(watcher)

    def _ended(self, process: subprocess.Popen[bytes], master: int, log: int) -> None:
        with self._change:
            os.close(master)
            if self._process is not process:
                os.write(log, b"\r\n--- power cut ---\r\n")
                return
            self._kill(process)
            self._process, self._console = None, -1
            if any(mark in self._tail for mark in POWERED_DOWN):
                self._last_exit = "powered off by itself"
                return
            self._last_exit = "panic" if b"Kernel panic" in self._tail else "reset"
            os.write(log, f"\r\n--- {self._last_exit} ---\r\n".encode())
            quick = time.monotonic() - self._started < QUICK_EXIT_SECONDS
            self._quick_exits = self._quick_exits + 1 if quick else 0
            if self._quick_exits >= QUICK_EXITS_ALLOWED:
                lines = self._tail.decode(errors="replace").strip().splitlines()
                self._failed = f"ended {self._quick_exits} times at once: {' / '.join(lines[-2:]) or 'no message'}"
                return
            self._start()

    def attach(self, descriptor: int) -> None:
        """Join `descriptor` (a socket) with the console, both ways, until it is closed."""
        with self._change:
            self._watchers.append(descriptor)
        while True:
            try:
                data = os.read(descriptor, 4096)
            except OSError:
                break
            if not data:
                break
            with self._change:
                if self._console >= 0:
                    os.write(self._console, data)
        with self._change:
            if descriptor in self._watchers:
                self._watchers.remove(descriptor)
                os.close(descriptor)

    def memory_mib(self) -> float | None:
        """Proportional set size of all the machine's processes (proc(5), smaps_rollup)."""
        if self._process is None:
            return None
        total = 0
        for process in list_processes():
            try:
                group = int((process / "stat").read_text().rpartition(")")[2].split()[2])
                if group == self._process.pid:
                    rollup = (process / "smaps_rollup").read_text()
                    total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            except (OSError, StopIteration):     # it ended while it was read
                continue
        return round(total / 1024, 1)
