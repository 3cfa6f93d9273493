"""Show what long work is doing: one line that renews itself in a terminal, one line per step elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import TextIO

SPINNER = "|/-\\"


class Progress:
    """A context manager; call it with the name of each step. Writes to standard error, so that output stays clean."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title, self.stream = title, stream or sys.stderr
        self.live = self.stream.isatty()
        self.started = self.step_started = time.monotonic()
        self.text = ""
        self._ended = threading.Event()
        self._writing = threading.Lock()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        if self.live:
            self._ticker.start()
        return self

    def __call__(self, text: str) -> None:
        with self._writing:
            if self.live and self.text:
                self._write(f"\r\033[K{self._line(' ')}\n")
            self.text, self.step_started = text, time.monotonic()
            if not self.live:
                self._write(f"[{time.monotonic() - self.started:6.1f} s] {self.title}: {text}\n")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        with self._writing:
            if self.live and self.text:
                self._write(f"\r\033[K{self._line('x' if kind else ' ')}\n")
            self.text = ""

    def _tick(self) -> None:
        count = 0
        while not self._ended.wait(0.2):
            count += 1
            with self._writing:
                if self.text and not self._ended.is_set():
                    self._write(f"\r\033[K{self._line(SPINNER[count % len(SPINNER)])}")

    def _line(self, mark: str) -> str:
        line = f"{mark} {self.title}: {self.text} ({time.monotonic() - self.step_started:.1f} s)"
        return line[: shutil.get_terminal_size().columns - 1]

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
