"""Plays a trace of the formal model through real state machines and demands the same decisions.

Each STEP line is one storage command (or mount, kill, …) of one node, with what the array holds after it. The machine
of that node must have asked for exactly that command, with the same victims; it is then given the result the model
saw, and nothing else. What has no counterpart in the model (time, heartbeats, the polls of the wait) is supplied: the
accused node is silent, everybody else is heard. Where the model says who is heard, which is at an owner without storage,
those are heard, with what their own machines say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from holdfast_agent.core import actions as act
from holdfast_agent.core import events as ev
from holdfast_agent.core.actions import Luns
from holdfast_agent.core.keys import build_key
from holdfast_agent.core.machine import initial_state, last_proof, step, summary
from holdfast_agent.core.state import MachineState, PackageConfig, State, Step
from holdfast_agent.core.timers import FAST

_STEP = re.compile(r"STEP (\d) t_(\w+) lock (\d+) (\d+) data (\d+) (\d+) vic (\d+) oth (\d+)")
_FAULT = re.compile(r"FAULT (\d) (\w+)")
_PATIENCE = 800
"""Ticks of 0.1 s within which a machine must come to the command that the model took."""


class Disagreement(AssertionError):
    """Code and model decide differently."""


@dataclass
class Line:
    """What the model says about one step: node, kind, and the array as it is then."""

    node: int
    kind: str
    lock: tuple[int, int]
    data: tuple[int, int]
    victim: int


@dataclass
class ReplayNode:
    """One machine and the command it waits for, per channel."""

    number: int
    epoch: int = 1
    state: MachineState | None = None
    now: float = 0.0
    storage: act.Action | None = None
    work: act.Action | None = None
    address: bool = False
    returned: bool = False
    away: bool = False
    """Down, frozen, or without its agent: nobody hears it."""
    unheard: set[int] = field(default_factory=set)
    """Nodes whose messages are lost on the way to this one."""
    asked: list[str] = field(default_factory=list)


class Replay:
    """All nodes of one trace."""

    def __init__(self, nodes: int) -> None:
        self.nodes = [ReplayNode(i) for i in range(nodes)]
        self.compared = 0
        self.note: ev.Note | None = None
        """Who wrote last that it owns the package."""
        for node in self.nodes:
            self.boot(node)

    # -- machines ----------------------------------------------------------------------------------------------

    def boot(self, node: ReplayNode) -> None:
        node.address = node.returned = False
        self.start_agent(node, node.epoch, ev.Boot(active=False, fresh=True))

    def start_agent(self, node: ReplayNode, epoch: int, boot: ev.Boot) -> None:
        config = PackageConfig(
            name="erp",
            node=f"node{node.number + 1}",
            node_ids=tuple((f"node{n.number + 1}", n.number + 1) for n in self.nodes),
            key=self.key(node.number, epoch),
            resources=("db",),
            timers=FAST,
            flap_limit=10_000,
        )
        node.state, node.storage, node.work, node.away = initial_state(config, node.now), None, None, False
        self.send(node, boot)
        self.send(node, ev.NetworkSeen(True, True))

    def key(self, number: int, epoch: int) -> int:
        return build_key("model", number + 1, epoch)

    def keys(self, mask: int) -> tuple[int, ...]:
        """Model bits to keys: bit 2 i is the key of node i's present start, bit 2 i + 1 that of the one before."""
        bits = ((node, age) for node in self.nodes for age in (0, 1) if mask >> (2 * node.number + age) & 1)
        return tuple(self.key(node.number, node.epoch - age) for node, age in bits)

    def send(self, node: ReplayNode, event: ev.Event) -> None:
        assert node.state is not None
        node.state, actions = step(node.state, event, node.now)
        for action in actions:
            if isinstance(action, act.StorageCommand.__args__):
                node.storage = action
            elif isinstance(action, act.WorkCommand.__args__):
                node.work = action
            elif isinstance(action, act.RaiseAddress):
                node.address = True
            elif isinstance(action, act.LowerAddress):
                node.address = False

    def answer(self, node: ReplayNode, event: ev.Observed | ev.Done) -> None:
        node.now += 0.001
        if node.storage is not None and node.storage.id == event.id:  # type: ignore[union-attr]
            self.note_written(node.storage, event)
            node.storage = None
        else:
            node.work = None
        self.send(node, event)

    def note_written(self, command: act.Action, event: ev.Observed | ev.Done) -> None:
        written = isinstance(event, ev.Done) and event.outcome is ev.Outcome.OK
        if written and isinstance(command, act.WriteNote) and command.note.flag is ev.Flag.OWNED:
            self.note = ev.Note(ev.Flag.OWNED, command.note.key, command.note.term)

    def tick(self, node: ReplayNode, line: Line) -> None:
        """0.1 s pass on this node's clock; every peer is heard but the accused one."""
        node.now += 0.1
        accused = self.keys(line.lock[1])
        for peer in self.nodes:
            silent = line.kind in ("begin", "look", "doubt") and any(k >> 24 & 0xFF == peer.number + 1 for k in accused)
            if peer is not node and not silent:
                view = ev.PeerView("standby", self.key(peer.number, peer.epoch), 0, True) if self.serving(node) else None
                self.send(node, ev.PeerHeard(f"node{peer.number + 1}", view))
        self.send(node, ev.Tick())

    def serving(self, node: ReplayNode) -> bool:
        return node.state is not None and node.state.state in (State.OWNER, State.STARTING)

    # -- the array as the model has it -------------------------------------------------------------------------

    def observed(self, node: ReplayNode, command: act.Observe, line: Line) -> ev.Observed:
        assert node.state is not None
        partial = 2 if node.returned else 1
        lock = ev.LunView("lock", keys=self.keys(line.lock[0]), holder=self.holder(line.lock[1]))
        data = ev.LunView(
            "data", keys=self.keys(line.data[0]), holder=self.holder(line.data[1]), paths_up=partial, paths_registered=1
        )
        own = node.state.key
        refused = lock.holder is not None and own not in lock.keys
        write = (ev.Outcome.CONFLICT if refused else ev.Outcome.OK) if command.write else None
        return ev.Observed(command.id, lock, (data,) if command.data else (), write, self.note)

    def holder(self, mask: int) -> int | None:
        return self.keys(mask)[0] if mask else None

    # -- lines -------------------------------------------------------------------------------------------------

    def play(self, text: str) -> None:
        """Apply one line of a trace; raises Disagreement."""
        fault = _FAULT.match(text)
        if fault is not None:
            self.fault(int(fault[1]), fault[2])
            return
        found = _STEP.match(text)
        if found is None:
            raise Disagreement(f"not a line of a trace: {text}")
        n, kind, lk, lh, dk, dh, vic, _ = found.groups()
        line = Line(int(n), kind, (int(lk), int(lh)), (int(dk), int(dh)), int(vic))
        try:
            self.play_step(self.nodes[line.node], line)
        except Disagreement as error:
            raise Disagreement(f"{text}: {error}") from None
        self.compared += 1

    def fault(self, number: int, kind: str) -> None:
        if number >= len(self.nodes):
            return
        node = self.nodes[number]
        if kind == "boot":
            node.epoch += 1
            self.boot(node)
        elif kind == "path_returned":
            node.returned = True
        elif kind in ("crash", "freeze", "agent_killed", "watchdog"):
            node.away = True
        elif kind == "thaw":
            node.away = False
        elif kind == "agent_back":
            assert node.state is not None
            self.start_agent(node, node.epoch + 1, ev.Boot(True, False, last_proof(node.state)))
        elif kind.startswith("unheard_"):
            node.unheard = {int(kind[-1])}
        elif kind == "heard":
            node.unheard = set()

    def play_step(self, node: ReplayNode, line: Line) -> None:
        special = getattr(self, f"play_{line.kind}", None)
        if special is not None:
            special(node, line)
        elif line.kind in _LOOKS:
            self.expect_observe(node, line)
        else:
            self.expect_command(node, line)

    def wait_for(self, node: ReplayNode, line: Line, wanted: type, answer_polls: bool = True) -> act.Action:
        """Let time pass until the machine asks for a command of this type; polls on the way see the model's array."""
        for _ in range(_PATIENCE):
            pending = node.storage
            if isinstance(pending, wanted):
                return pending
            if isinstance(pending, act.Observe) and answer_polls:
                self.answer(node, self.observed(node, pending, line))
            elif pending is not None:
                break
            else:
                self.tick(node, line)
        assert node.state is not None
        raise Disagreement(f"wanted {wanted}, got {node.storage} in {node.state.state}/{node.state.step}")

    def play_begin(self, node: ReplayNode, line: Line) -> None:
        """The model may accuse at any time; the machine needs new silence for that, so everybody is heard first."""
        self.hear_standbys(node)
        self.wait_for(node, line, act.Register)

    def play_own_past(self, node: ReplayNode, line: Line) -> None:
        """The holder is this node: its present key needs no challenge, an older one does."""
        for _ in range(_PATIENCE):
            assert node.state is not None
            if node.state.step is Step.RECHECK or isinstance(node.storage, act.Register):
                return
            if isinstance(node.storage, act.Observe):
                self.answer(node, self.observed(node, node.storage, line))
            else:
                self.tick(node, line)
        raise Disagreement(f"does not take up what it holds: {node.state.state if node.state else None}")

    def play_inspect(self, node: ReplayNode, line: Line) -> None:
        """What is still held after a clean stop is taken up again at once."""
        self.expect_observe(node, line)
        if line.lock[1] == 1 << 2 * node.number:
            self.play_own_past(node, line)

    def play_look(self, node: ReplayNode, line: Line) -> None:
        """The wait: all its polls see what the model's one look sees, until the machine makes up its mind."""
        assert node.state is not None and node.state.challenge is not None
        before = node.state.challenge.victim
        for _ in range(_PATIENCE):
            state = node.state
            left = state.step is not Step.WAIT
            again = state.challenge is not None and state.challenge.victim != before
            if left or again:
                return
            if isinstance(node.storage, act.Observe):
                self.answer(node, self.observed(node, node.storage, line))
            else:
                self.tick(node, line)
        raise Disagreement("the wait does not end")

    def play_serve(self, node: ReplayNode, line: Line) -> None:
        assert node.state is not None
        if not (node.address and node.state.state is State.OWNER):
            raise Disagreement(f"serves in the model, {node.state.state} here, address {node.address}")

    def play_mount(self, node: ReplayNode, line: Line) -> None:
        if not isinstance(node.work, act.Activate):
            raise Disagreement(f"wanted Activate, got {node.work}")
        while node.work is not None:
            self.answer(node, ev.Done(node.work.id, ev.Outcome.OK))  # type: ignore[union-attr]

    def play_killed(self, node: ReplayNode, line: Line) -> None:
        if not isinstance(node.work, act.KillDatabase) or node.address:
            raise Disagreement(f"wanted KillDatabase and no address, got {node.work}, address {node.address}")
        while node.work is not None:
            self.answer(node, ev.Done(node.work.id, ev.Outcome.OK))  # type: ignore[union-attr]

    def play_watchdog(self, node: ReplayNode, line: Line) -> None:
        assert node.state is not None
        if not node.state.tripped:
            raise Disagreement("the watchdog is fed")
        node.away = True

    # -- without storage ---------------------------------------------------------------------------------------

    def look_in_vain(self, node: ReplayNode) -> None:
        """0.1 s pass on the clock of a node that does not reach the array."""
        pending = node.storage
        if isinstance(pending, act.Observe):
            gone = ev.LunView("lock", ev.Problem.NO_PATHS)
            self.answer(node, ev.Observed(pending.id, gone, write=ev.Outcome.NO_PATHS if pending.write else None))
        elif pending is not None:
            raise Disagreement(f"wanted to look, got {pending}")
        node.now += 0.1
        self.send(node, ev.Tick())

    def hear(self, node: ReplayNode) -> None:
        """One heartbeat of everybody whose messages arrive. None of them can serve, so that patience is long."""
        for peer in self.nodes:
            if peer is not node and not peer.away and peer.number not in node.unheard:
                assert peer.state is not None
                self.send(node, ev.PeerHeard(f"node{peer.number + 1}", replace(summary(peer.state), can_serve=False)))

    def expect_ejected(self, node: ReplayNode, reason: str) -> None:
        assert node.state is not None
        state = node.state
        if state.state is not State.EJECTED or node.address or reason not in state.reason:
            raise Disagreement(f"wanted an end: {reason}; got {state.state}: {state.reason}, address {node.address}")
        self.take_key(node)

    def take_key(self, node: ReplayNode) -> None:
        """An agent that came back goes on with the key of the one before, or with its own."""
        assert node.state is not None
        node.epoch = node.state.key & 0xFFFFFF

    def hear_standbys(self, node: ReplayNode) -> None:
        """One heartbeat of everybody, at rest and ready."""
        for peer in self.nodes:
            if peer is not node:
                view = ev.PeerView("standby", self.key(peer.number, peer.epoch), 0, True)
                self.send(node, ev.PeerHeard(f"node{peer.number + 1}", view))

    def play_give_up(self, node: ReplayNode, line: Line) -> None:
        assert node.state is not None
        for _ in range(_PATIENCE):
            if node.state.state is State.EJECTED:
                break
            self.hear_standbys(node)
            self.look_in_vain(node)
        self.expect_ejected(node, "storage not verified for")

    def play_believe(self, node: ReplayNode, line: Line) -> None:
        """Long before its own patience ends."""
        assert node.state is not None
        for _ in range(round(FAST.path_wait_alone / 2 / 0.1)):
            if node.state.state is State.EJECTED:
                break
            self.hear(node)
            self.look_in_vain(node)
        self.expect_ejected(node, "took the package")

    def play_let_go(self, node: ReplayNode, line: Line) -> None:
        """It goes on looking."""
        assert node.state is not None
        for _ in range(_PATIENCE):
            if not node.address and isinstance(node.storage, act.Observe):
                break
            self.hear(node)
            self.look_in_vain(node)
        if node.address or node.state.state is State.EJECTED:
            raise Disagreement(f"wanted to let the address go, got {node.state.state}, address {node.address}")

    def play_proven(self, node: ReplayNode, line: Line) -> None:
        self.expect_observe(node, line)
        if not node.address:
            raise Disagreement("the address does not come back with the proof")

    def play_no_answer(self, node: ReplayNode, line: Line) -> None:
        if node.storage is None or isinstance(node.storage, act.Observe):
            raise Disagreement(f"wanted a command, got {node.storage}")
        self.answer(node, ev.Done(node.storage.id, ev.Outcome.NO_PATHS))  # type: ignore[union-attr]

    def play_adopt(self, node: ReplayNode, line: Line) -> None:
        self.expect_observe(node, line)
        self.take_key(node)
        assert node.state is not None
        if node.state.state is State.EJECTED:
            return
        if not node.address:
            raise Disagreement("taken up without the address")
        while node.work is not None:
            self.answer(node, ev.Done(node.work.id, ev.Outcome.OK))  # type: ignore[union-attr]

    def play_stop(self, node: ReplayNode, line: Line) -> None:
        self.finish_round(node, line)
        for _ in range(3):
            self.tick(node, line)
            self.finish_round(node, line)
        self.send(node, ev.Command(1, ev.Verb.MOVE))
        if not isinstance(node.work, act.StopResource):
            raise Disagreement(f"wanted a stop, got {node.work}")

    def finish_round(self, node: ReplayNode, line: Line) -> None:
        if isinstance(node.storage, act.Observe):
            self.answer(node, self.observed(node, node.storage, line))

    def play_unmount(self, node: ReplayNode, line: Line) -> None:
        """The address is gone by the unmount; how long it outlives the resources is not the model's business."""
        while node.work is not None:
            if isinstance(node.work, act.Deactivate) and node.address:
                raise Disagreement("unmounts with the address up")
            self.answer(node, ev.Done(node.work.id, ev.Outcome.OK))  # type: ignore[union-attr]
        if isinstance(node.storage, act.Observe):
            self.look_in_vain(node)

    def play_release_data(self, node: ReplayNode, line: Line) -> None:
        """All others are at rest: the reservation of the data LUNs may go."""
        self.write_release_note(node, line, "standby")
        self.expect_command(node, line)

    def play_keep_data(self, node: ReplayNode, line: Line) -> None:
        """Somebody may still have it mounted: the data LUNs stay reserved, the lock LUN is next."""
        self.write_release_note(node, line, "ejected")
        if not (isinstance(node.storage, act.Unregister) and node.storage.luns is Luns.LOCK):
            raise Disagreement(f"wanted to leave the data LUNs reserved, got {node.storage}")

    def write_release_note(self, node: ReplayNode, line: Line, others: str) -> None:
        """The release note has no counterpart in the model: it is refused where the array would refuse it."""
        for peer in self.nodes:
            if peer is not node:
                view = ev.PeerView(others, self.key(peer.number, peer.epoch), 0, False)
                self.send(node, ev.PeerHeard(f"node{peer.number + 1}", view))
        own = node.state.key if node.state is not None else 0
        while isinstance(node.storage, act.Observe):
            self.answer(node, self.observed(node, node.storage, line))
        if isinstance(node.storage, act.WriteNote):
            refused = line.lock[1] and own not in self.keys(line.lock[0])
            self.answer(node, ev.Done(node.storage.id, ev.Outcome.CONFLICT if refused else ev.Outcome.OK))

    def play_back_out(self, node: ReplayNode, line: Line) -> None:
        """A node that never registered on the data LUNs has nothing to take back there."""
        if isinstance(node.storage, act.Unregister) and node.storage.luns is Luns.LOCK:
            return
        self.expect_command(node, line)

    def expect_observe(self, node: ReplayNode, line: Line) -> None:
        """A look of the model is a look of the machine, of the same kind."""
        pending = self.wait_for(node, line, act.Observe, answer_polls=False)
        assert isinstance(pending, act.Observe)
        if (pending.write, pending.data) != _LOOKS[line.kind]:
            raise Disagreement(f"wanted another look than {pending}")
        if line.kind == "round" and not isinstance(node.state, MachineState):
            raise Disagreement("no state")
        self.answer(node, self.observed(node, pending, line))

    def expect_command(self, node: ReplayNode, line: Line) -> None:
        """A command of the model is the machine's pending one, for the same LUNs and against the same victims."""
        name = re.sub(r"_(ok|conflict)$", "", line.kind)
        wanted, luns = _COMMANDS[name]
        pending = self.wait_for(node, line, wanted, answer_polls=False)
        if luns is not None and getattr(pending, "luns", luns) is not luns:
            raise Disagreement(f"wanted {luns}, got {pending}")
        if name == "strike" and getattr(pending, "victims", ()) != self.keys(line.victim) and line.victim:
            raise Disagreement(f"wanted victim {line.victim:b}, got {pending}")
        if name in ("register_data", "repair_register_data"):
            node.returned = False
        conflict = line.kind.endswith("_conflict")
        self.answer(node, ev.Done(pending.id, ev.Outcome.CONFLICT if conflict else ev.Outcome.OK))  # type: ignore[union-attr]


_LOOKS = {
    "round": (True, True),
    "doubt": (False, False),
    "recheck": (False, True),
    "check_lock": (False, True),
    "verify": (False, True),
    "adopt": (False, True),
    "proven": (True, True),
    "repair_verify": (False, True),
    "inspect": (False, True),
}
_STRIKE = (act.PreemptAndAbort, act.Reserve)
_COMMANDS: dict[str, tuple[object, Luns | None]] = {
    "register": (act.Register, Luns.LOCK),
    "reserve": (act.Reserve, Luns.LOCK),
    "strike": (_STRIKE, Luns.LOCK),
    "unregister_lock": (act.Unregister, Luns.LOCK),
    "sweep": (act.PreemptAndAbort, Luns.LOCK),
    "register_data": (act.Register, Luns.DATA),
    "preempt_data": (act.PreemptAndAbort, Luns.DATA),
    "reserve_data": (act.Reserve, Luns.DATA),
    "note": (act.WriteNote, None),
    "back_out": (act.Unregister, Luns.DATA),
    "defend": (act.PreemptAndAbort, Luns.LOCK),
    "clean_data": (act.PreemptAndAbort, Luns.DATA),
    "suspend": (act.SuspendIo, None),
    "repair_register_lock": (act.Register, Luns.LOCK),
    "repair_reserve_lock": (act.Reserve, Luns.LOCK),
    "repair_register_data": (act.Register, Luns.DATA),
    "repair_reserve_data": (act.Reserve, Luns.DATA),
    "resume": (act.ResumeIo, None),
    "clean_up": (act.Unregister, Luns.DATA),
    "release_data": (act.Unregister, Luns.DATA),
}


def replay_lines(lines: list[str]) -> Replay:
    """Play a whole trace; raises Disagreement."""
    replay = Replay(3 if any(line.split()[1] == "2" and line.startswith("STEP") for line in lines) else 2)
    for line in lines:
        replay.play(line)
    return replay
