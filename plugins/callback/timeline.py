# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""A short timeline of a play: when each task began, how long it took, what changed, what failed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: timeline
type: stdout
short_description: One line per task with its time
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Prints one line per task, with the seconds since the start, how long the task took, and what became of it on each host.
  - What a task has to say (M(ansible.builtin.debug), a check that passed with a message) stands below its line as it is.
  - Meant for drills and moves, where the time of a step is the point of it.
  - Use it with E(ANSIBLE_STDOUT_CALLBACK=holdfast.cluster.timeline).
requirements:
  - set as stdout in the configuration
extends_documentation_fragment:
  - ansible.builtin.default_callback
"""

import time

from ansible.plugins.callback import CallbackBase


def describe_outcomes(outcomes):
    """C(node1 changed, node2 ok), equal outcomes of all hosts once."""
    words = set(outcomes.values())
    if len(words) == 1 and len(outcomes) > 2:
        return f"{words.pop()} on {len(outcomes)} hosts"
    return ", ".join(f"{host} {word}" for host, word in sorted(outcomes.items()))


def describe_words(result):
    """Lines of what a task was made to say: a text, or a list of lines; nothing where it only did its work."""
    if not result.get("_ansible_verbose_always"):
        return []
    said = result.get("msg", "")
    lines = said if isinstance(said, list) else str(said).splitlines()
    return [str(line) for line in lines]


def describe_failure(result):
    """The lines of a failed task's message, or the last line of what it printed."""
    if result.get("msg"):
        return [line for line in str(result["msg"]).splitlines() if line.strip()]
    lines = str(result.get("stderr") or "").strip().splitlines()
    return lines[-1:] or ["no message"]


class CallbackModule(CallbackBase):
    """Collects the hosts of a task and prints the line when the next task begins."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "holdfast.cluster.timeline"

    def __init__(self):
        super().__init__()
        self._begin = time.monotonic()
        self._task = None
        self._task_begin = 0.0
        self._outcomes = {}
        self._failures = []
        self._words = []

    def v2_playbook_on_play_start(self, play):
        """The play's name as a heading."""
        self._flush()
        self._display.display(f"{self._now()}  {play.get_name().strip()}", color="bright blue")

    def v2_playbook_on_task_start(self, task, is_conditional):
        """The line of the task before this one is complete now."""
        self._flush()
        self._task, self._task_begin = task.get_name().strip(), time.monotonic()

    def v2_playbook_on_handler_task_start(self, task):
        """A handler is a task like any other."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result):
        """Good on one host."""
        self._outcomes[result._host.get_name()] = "changed" if result._result.get("changed") else "ok"
        self._words += [line for line in describe_words(result._result) if line not in self._words]

    def v2_runner_on_skipped(self, result):
        """Skipped on one host."""
        self._outcomes[result._host.get_name()] = "skipped"

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Failed on one host; the reason gets a line of its own."""
        host = result._host.get_name()
        self._outcomes[host] = "failed, ignored" if ignore_errors else "FAILED"
        self._fail(host, result)

    def v2_runner_on_unreachable(self, result):
        """One host did not answer."""
        host = result._host.get_name()
        self._outcomes[host] = "UNREACHABLE"
        self._fail(host, result)

    def _fail(self, host, result):
        first, *rest = describe_failure(result._result)
        self._failures += [f"{host}: {first}", *rest]

    def v2_playbook_on_stats(self, stats):
        """The last task, and the end."""
        self._flush()
        bad = [host for host in sorted(stats.processed) if stats.failures.get(host) or stats.dark.get(host)]
        words = f"failed on {', '.join(bad)}" if bad else "done"
        self._display.display(f"{self._now()}  {words}", color="red" if bad else "green")

    def _now(self):
        return f"{time.monotonic() - self._begin:7.1f} s"

    def _flush(self):
        """Print the line of the task that has ended."""
        if self._task is None or set(self._outcomes.values()) <= {"skipped"}:
            self._forget()
            return
        took = time.monotonic() - self._task_begin
        start = self._task_begin - self._begin
        line = f"{start:7.1f} s  {took:5.1f} s  {self._task}: {describe_outcomes(self._outcomes)}"
        changed = "changed" in self._outcomes.values()
        self._display.display(line, color="red" if self._failures else "yellow" if changed else None)
        for words in self._words:
            self._display.display(f"{'':20}{words}")
        for failure in self._failures:
            self._display.display(f"{'':20}{failure}", color="red")
        self._forget()

    def _forget(self):
        self._task, self._outcomes, self._failures, self._words = None, {}, [], []
