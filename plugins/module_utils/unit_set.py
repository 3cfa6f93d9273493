# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Several systemd units brought to their wanted state with one C(systemctl) call per verb."""

from __future__ import annotations

from .command import run
from .errors import HoldfastError, ParseError
from .resource import Action, Resource

_PROPERTIES = ("Id", "LoadState", "UnitFileState", "ActiveState", "NeedDaemonReload")
_ENABLED_STATES = ("enabled", "enabled-runtime", "alias", "linked")
#: Order matters: a unit is unmasked before it is enabled, and stopped before it is masked.
_VERBS = ("unmask", "stop", "disable", "mask", "enable", "start", "reload", "restart")
#: These change links between unit files. Each would have systemd read all of its files again, and run every generator.
_LINK_VERBS = ("unmask", "disable", "mask", "enable")
#: systemctl would run update-rc.d for a unit that has a script in /etc/init.d as well, whose links systemd never follows
#: (systemd's docs/ENVIRONMENT.md; systemd-sysv-generator(8)).
_NO_RUNLEVELS = {"SYSTEMCTL_SKIP_SYSV": "1"}
#: Where an administrator's unit files and their drop-ins stand (systemd.unit(5)).
UNIT_DIRECTORY = "/etc/systemd/system/"
#: The states of a unit as AnsibleModule takes them; one that is not given is left as it is.
UNIT_OPTIONS = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool"},
    "masked": {"type": "bool"},
    "active": {"type": "bool"},
}


def build_show_command(names):
    """The command whose output L(parse_systemctl_show) reads."""
    return ["systemctl", "show", "--property", ",".join(_PROPERTIES), "--", *names]


def parse_systemctl_show(text, names):
    """State of every unit, by the name it was asked for.

    C(systemctl show) prints one block per unit in the order of the command line, separated by an empty line.
    """
    blocks = [block for block in text.strip().split("\n\n") if block.strip()]
    if len(blocks) != len(names):
        raise ParseError(f"systemctl show answered for {len(blocks)} of {len(names)} units", names=list(names))
    return {name: _parse_block(block) for name, block in zip(names, blocks, strict=True)}


def _parse_block(block):
    values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    missing = [name for name in _PROPERTIES if name not in values]
    if missing:
        raise ParseError(f"systemctl show did not tell {', '.join(missing)}")
    return {
        "present": values["LoadState"] not in ("not-found", "bad-setting", "error"),
        "enabled": values["UnitFileState"] in _ENABLED_STATES,
        "masked": values["LoadState"] == "masked",
        "active": values["ActiveState"] in ("active", "activating", "reloading"),
        "needs_reload": values["NeedDaemonReload"] == "yes",
    }


class UnitSet(Resource):
    """Wanted states by unit name: any of C(enabled), C(masked), C(active), and C(restarted) or C(reloaded) once.

    I(may_be_missing) is for check mode on a node where the units are not installed yet.
    """

    def __init__(self, wanted, daemon_reload=False, may_be_missing=False):
        self.wanted = wanted
        self.daemon_reload = daemon_reload
        self.may_be_missing = may_be_missing
        self._once = {
            name: [verb for verb in ("reload", "restart") if want.get(f"{verb}ed")] for name, want in wanted.items()
        }

    def read(self):
        """State of every unit."""
        return parse_systemctl_show(run(build_show_command(list(self.wanted))), list(self.wanted))

    def plan(self, before):
        """One action per verb with all its units, so that each verb is one command."""
        by_verb = {verb: [] for verb in _VERBS}
        for name, wanted in self.wanted.items():
            if not before[name]["present"]:
                self._check_missing(name, wanted)
            for verb in self._plan_unit(name, wanted, before[name]):
                by_verb[verb].append(name)
        changes = [Action(verb, " ".join(names)) for verb, names in by_verb.items() if names]
        stale = [name for name in self.wanted if before[name]["needs_reload"]]
        # Asked of systemd itself, so that a run that was cut off after it wrote a unit file is finished by the next one.
        return [Action("daemon-reload", " ".join(stale)), *changes] if stale else changes

    def _check_missing(self, name, wanted):
        if not self.may_be_missing and (wanted.get("enabled") or wanted.get("active")):
            raise HoldfastError(f"unit {name} is not installed on this node", unit=name)

    def _plan_unit(self, name, wanted, present):
        verbs = []
        if not present["present"] and not self.may_be_missing:
            return verbs
        for key, on, off in (
            ("masked", "mask", "unmask"),
            ("enabled", "enable", "disable"),
            ("active", "start", "stop"),
        ):
            if wanted.get(key) is not None and wanted[key] != present[key]:
                verbs.append(on if wanted[key] else off)
        if present["active"] and wanted.get("active") is not False:
            verbs += self._once[name]
        return verbs

    def apply(self, action):
        """One systemctl call for all units of the verb. Unit files are read again once, before one of them is needed."""
        if action.verb == "daemon-reload":
            self.daemon_reload = True
            return
        names = action.subject.split(" ")
        if action.verb in _LINK_VERBS:
            run(["systemctl", "--quiet", "--no-reload", action.verb, "--", *names], variables=_NO_RUNLEVELS)
            self.daemon_reload = True
            return
        if action.verb != "stop":
            self.finish()
        run(["systemctl", "--quiet", action.verb, "--", *names])
        # A unit that was only just started has read everything that is new.
        if action.verb in ("reload", "restart", "start"):
            for name in names:
                self._once[name] = []

    def finish(self):
        """Have systemd read its unit files again where that is still to do."""
        if self.daemon_reload:
            run(["systemctl", "daemon-reload"])
            self.daemon_reload = False

    def expect(self, before):
        """Every unit as wanted."""
        return {
            name: {
                **before[name],
                "needs_reload": False,
                **{key: value for key, value in wanted.items() if key in before[name] and value is not None},
            }
            for name, wanted in self.wanted.items()
        }
