"""Scripts of whole drills as a healthy cluster would play them; one per kind of drill."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from holdfast.drill.runbook.catalogue import Catalogue, load_catalogue
from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.runbook.model import FaultStep
from tests.unit.drill.world import Happening, Script, key, phases

RUNBOOKS = Path(__file__).parents[3] / "runbooks"
Step = dict[str, object]


@cache
def catalogue() -> Catalogue:
    return load_catalogue([RUNBOOKS])


def step(name: str, started: float, ended: float, phase: str = "act", action: str = "wait") -> Step:
    return {"phase": phase, "name": name, "action": action, "started": started, "ended": ended, "outcome": "ok",
            "detail": ""}  # fmt: skip


def steps_around(names: tuple[str, ...], act: float, heal: float) -> list[Step]:
    """Steps of a runbook spread over the act, plus those of the steady states."""
    share = (heal - act) / max(1, len(names))
    own = [step(name, act + i * share, act + (i + 1) * share) for i, name in enumerate(names)]
    return [step("package is up", 0.4, 1.0, "steady_before"), step("standby is ready", 1.0, 1.6, "steady_before"),
            *own, step("package is back on its first owner", heal + 1, heal + 4, "steady_after")]  # fmt: skip


def faults_of(name: str, at: float, healed: float) -> list[dict[str, object]]:
    """The faults of a runbook, each proven and undone."""
    hosts = {"owner": ("node1",), "standby": ("node2",), "any_standby": ("node2",), "array": ("san1",),
             "all_nodes": ("node1", "node2")}  # fmt: skip
    entries = []
    steps = catalogue().runbooks[name].steps
    faults = [(s.action, host) for s in steps if isinstance(s.action, FaultStep) for host in hosts[s.action.target]]
    for index, (fault, host) in enumerate(faults):
        down = load_fault_kinds()[fault.kind].takes_node_down
        entries.append({
            "id": fault.id if len(hosts[fault.target]) == 1 else f"{fault.id}_{host}",
            "fault": fault.kind, "role": fault.target, "host": host,
            "injected": at + 0.01 * index, "active": True, "proof": load_fault_kinds()[fault.kind].proof,
            "takes_node_down": down, "healed": healed, "by": "itself" if down else "driver",
        })  # fmt: skip
    return entries


def writes(owner: str, standby: str) -> list[dict[str, object]]:
    return [
        {"node": node, "lun": lun, "path": path, "refused": node == standby, "expected_refused": node == standby,
         "error": "EBADE" if node == standby else ""}
        for node in (owner, standby) for lun in ("erp-lock", "erp-data") for path in ("sdb", "sdc")
    ]  # fmt: skip


def takeover(name: str, *, outage: float = 2.9, down_for: float = 12.0, frozen: bool = False) -> Script:
    """The owner goes away at 10 s; node2 takes over; node1 returns and the package goes home at the end."""
    at, length = 10.0, 60.0
    served = at + outage - 0.02
    gone = {"node1.frozen": True} if frozen else {"node1.up": False}
    happenings = [
        Happening(at, {"serving": False, **gone}),
        Happening(at + 0.6, {}, "node2", "suspect", "standby", "no heartbeat on any network for 0.6 s"),
        Happening(at + 0.7, {}, "node2", "challenge", "challenging", "registered on the lock LUN"),
        Happening(at + 1.7, {"keys": [key("node2", 3)] * 2, "holder": key("node2", 3)}, "node2", "preempted",
                  "starting", "lock won; all data LUNs preempted"),
        Happening(at + 2.2, {"node2.mounted": True, "node2.address": True}, "node2", "mounted", "starting",
                  "file systems mounted"),
        Happening(served, {"own": ("node2", 3)}, "node2", "started", "owner", "database answers"),
    ]  # fmt: skip
    happenings.append(Happening(served, {}, "node2", "takeover", "owner", "", {
        "cause": "silent on every network", "total_seconds": outage,
        "phases": {"detect": 0.6, "arbitrate": 1.0, "preempt": 0.1, "activate": 0.5, "database": 0.55, "address": 0.1},
    }))  # fmt: skip
    back = at + down_for
    if frozen:
        # Awake again with everything still in place: the array refuses, the agent resets the node a second later.
        happenings[-2] = Happening(served, {"serving": True}, "node2", "started", "owner", "database answers")
        happenings += [
            Happening(back, {"node1.frozen": False}),
            Happening(back + 0.4, {"node1.address": False}, "node1", "lost", "ejected", "own key is gone"),
            Happening(back + 1.0, {"node1.up": False, "node1.mounted": False}),
            Happening(back + 8, {"node1.up": True, "node1.boot": 2}, "node1", "agent_started", "standby", "booted"),
        ]
    else:
        happenings.append(Happening(back, {"node1.up": True, "node1.boot": 2}, "node1", "agent_started", "standby",
                                    "the previous owner stopped uncleanly; rejoined after reboot"))  # fmt: skip
    happenings += [
        Happening(46.0, {"serving": False, "node2.mounted": False, "node2.address": False}, "node2", "released",
                  "standby", "failback asked for"),
        Happening(47.1, {"own": ("node1", 4)}, "node1", "started", "owner", "failback"),
    ]  # fmt: skip
    runbook = catalogue().runbooks[name]
    return Script(
        runbook,
        happenings,
        phases(at, 40.0, length),
        steps_around(tuple(s.name for s in runbook.steps), at, 40.0),
        faults_of(name, at, back),
        write_tries=writes("node2", "node1"),
        log=[(at + 0.7, "node2", "holdfast-agent", "erp: no heartbeat from node1, challenging for the lock LUN"),
             (at + 1.7, "node2", "kernel", "sd 2:0:0:1: [sdc] Mode parameters changed"),
             (at + 2.4, "node2", "postgres", "database was not properly shut down; automatic recovery in progress"),
             (served, "node2", "postgres", "database system is ready to accept connections")],
        length=length,
    )  # fmt: skip


def quiet(name: str, *, hiccup: float = 0.0) -> Script:
    """Nothing moves. `hiccup` is a pause that clients feel, in seconds, right after the fault."""
    at, length = 10.0, 48.0
    resets = "standby" in catalogue().runbooks[name].expect.resets
    happenings = [Happening(at, {"serving": False}), Happening(at + hiccup, {"serving": True})] if hiccup else []
    if resets:
        happenings += [Happening(at, {"node2.up": False}), Happening(at + 9, {"node2.up": True, "node2.boot": 2})]
    happenings.append(Happening(at + 0.8, {}, "node2", "challenge", "challenging", "no heartbeat"))
    happenings.append(Happening(at + 1.4, {}, "node1", "defended", "owner", "preempted the challenger's key"))
    happenings.append(Happening(at + 1.9, {}, "node2", "stand_down", "standby", "the owner defended"))
    runbook = catalogue().runbooks[name]
    return Script(
        runbook,
        happenings,
        phases(at, 32.0, length),
        steps_around(tuple(s.name for s in runbook.steps), at, 32.0),
        faults_of(name, at, 32.2),
        write_tries=writes("node1", "node2"),
        log=[(at + 1.4, "node1", "holdfast-agent", "erp: foreign key on the lock LUN preempted, still owner")],
        length=length,
    )


def move(name: str, *, outage: float = 1.8, times: int = 1) -> Script:
    """A planned move (or there and back), no fault."""
    script = takeover(name, outage=outage)
    resets = bool(script.runbook.expect.resets)
    at = 10.0
    owners = ["node1", "node2"]
    happenings: list[Happening] = []
    pause = {"held": True} if script.runbook.measure_through == "pooler" else {"serving": False}
    for index in range(times):
        begin = at + 10 * index
        old, new = owners[index % 2], owners[(index + 1) % 2]
        happenings += [
            Happening(begin, {**pause, f"{old}.mounted": False, f"{old}.address": False}, old, "released",
                      "standby", "asked to move"),
            Happening(begin + outage - 0.02, {"own": (new, 3 + index)}, new, "started", "owner", "asked to move"),
        ]  # fmt: skip
    if resets:
        happenings += [Happening(20.0, {"node1.up": False}), Happening(28.0, {"node1.up": True, "node1.boot": 2})]
    if resets and "standby" in script.runbook.expect.resets:
        happenings += [Happening(30.0, {"node2.frozen": True}), Happening(30.5, {"node2.frozen": False, "node2.boot": 2})]
    if times == 1:
        happenings += [Happening(46.0, {"serving": False, "node2.mounted": False, "node2.address": False}),
                       Happening(47.1, {"own": ("node1", 9)}, "node1", "started", "owner", "failback")]  # fmt: skip
        script.write_tries = writes("node2", "node1")
    else:
        script.write_tries = writes("node1", "node2")
    script.happenings = happenings
    return script


SCRIPTS: dict[str, Callable[[], Script]] = {
    "owner_crash": lambda: takeover("owner_crash"),
    "owner_frozen": lambda: takeover("owner_frozen", frozen=True, down_for=14.0),
    "owner_power_cut": lambda: takeover("owner_power_cut"),
    "standby_crash": lambda: quiet("standby_crash"),
    "heartbeat_cut": lambda: quiet("heartbeat_cut"),
    "path_cut": lambda: quiet("path_cut", hiccup=4.2),
    "switchover": lambda: move("switchover"),
    "failback": lambda: move("failback", times=2),
}


def script_for(name: str) -> Script:
    """A healthy run of any runbook, chosen by what the runbook expects."""
    if name in SCRIPTS:
        return SCRIPTS[name]()
    runbook = catalogue().runbooks[name]
    expect = runbook.expect
    if expect.owner == "owner" and expect.moves == 0:
        return quiet(name)
    if not runbook.faults or (expect.moves == 2 and not expect.resets):
        return move(name, times=2 if expect.owner == "owner" else 1)
    script = takeover(name, outage=1.9 if expect.outage == "switchover" else 2.9)
    nodes = {"owner": "node1", "standby": "node2"}
    restarted = {nodes[role] for role in (*expect.resets, *expect.may_reset) if role in nodes}
    if "node1" not in restarted:
        script.happenings = [_without_reset(h) for h in script.happenings]
    if "standby" in expect.resets:
        script.happenings += [Happening(30.0, {"node2.frozen": True}), Happening(30.5, {"node2.frozen": False, "node2.boot": 2})]
    return script


def _without_reset(happening: Happening) -> Happening:
    """The same, but the node stops in order instead of going away."""
    change = {k: v for k, v in happening.change.items() if k not in ("node1.up", "node1.boot", "node1.frozen")}
    if change != dict(happening.change) and happening.change.get("node1.up") is False:
        change |= {"node1.mounted": False, "node1.address": False}
    return Happening(happening.at, change, happening.node, happening.event, happening.state, happening.reason)
