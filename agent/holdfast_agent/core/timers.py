"""All timers of a cluster, computed from one profile and checked in one place.

A profile gives a few measured or chosen quantities; everything else follows. The safety of ownership never rests on
a timer (the array decides): a bad set costs an unneeded move or a slow one, and is refused here with the reason.

Why `fast` is what it is: the aim is a client-seen outage below 3 s after a crash. Detection takes `silence` = 0.6 s
(six heartbeats). A challenge may register on the lock LUN at `suspect` = 0.3 s already, which costs nothing if the
peer speaks again, so that waiting W overlaps detection: 0.3 + W + one preempt of every LUN. With D = 0.25 s, a worst
PR command of 0.15 s (User-Mode Linux lab: 4 to 100 ms by ioctl) and 0.25 s of tolerated stall, W = 0.9 s, so the
package is the challenger's after about 1.3 s, which leaves 1.7 s for mount, crash recovery and address.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


class ImpossibleTimers(ValueError):
    """A set of timers that contradicts itself; `problems` has every reason, not only the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds, all of them. The first block is given by the profile, the properties are computed from it."""

    profile: str
    defend: float
    """D: an owner reads the keys of the lock LUN and writes its beat this often."""
    command_worst: float
    """Worst time of one reservation command on a healthy array; measured by the capability probe."""
    stall: float
    """A scheduling gap that a healthy node may have without losing a challenge; longer ones trigger a re-check."""
    heartbeat: float
    suspect: float
    """Silence on every network after which a challenger may register on the lock LUN (not yet preempt)."""
    silence: float
    """Silence on every network after which a challenger may preempt."""
    path_wait: float
    """How long an owner without any path keeps the package while a peer could serve it."""
    path_wait_alone: float
    """The same when no peer could: giving up would gain nothing. Multipath must queue as long."""
    slow_limit: float
    """Slowest verification round that is still accepted as slow storage; also the deadline of its commands."""
    watchdog: float
    """Margin of the hardware watchdog: unfed for this long, the node resets."""
    agent_restart: float
    """Longest time systemd needs to have a killed agent back and verifying."""
    vrrp_advert: float
    """Between two VRRP advertisements; keepalived takes an address over this long after the agent raised it."""
    isolation_hold: float
    """An owner must have missed its witness for this long before it gives the package to a peer."""
    cold_start_wait: float
    """How long a node waits for peers it has never heard before it starts a package that nobody owns."""
    target_wait: float
    """How long the node that gave a package away waits for the target to own it before it takes it back."""
    path_detect: float
    """iSCSI no-op interval plus timeout: a dead path is known after this."""
    start_timeout: float
    stop_timeout: float
    activate_timeout: float

    @property
    def wait(self) -> float:
        """W = 2 D + worst command + tolerated stall (DESIGN section 5)."""
        return 2 * self.defend + self.command_worst + self.stall

    @property
    def rank_step(self) -> float:
        """Extra wait per rank, so that of several challengers one is clearly first."""
        return self.defend + self.command_worst

    @property
    def tick(self) -> float:
        """Longest time between two events of a machine; well below the stall it must detect."""
        return self.defend / 5

    @property
    def poll(self) -> float:
        """A node without the package reads the lock LUN this often."""
        return 2 * self.defend

    @property
    def beat_stall(self) -> float:
        """A beat on the lock LUN that stands still for this long is evidence against the owner."""
        return self.slow_limit + self.defend

    @property
    def vouch(self) -> float:
        """How long one verified round keeps the watchdog fed."""
        return 2 * self.defend + self.stall

    @property
    def feed(self) -> float:
        """Interval of feeding the watchdog device."""
        return self.watchdog / 5

    @property
    def vrrp_late(self) -> float:
        """A keepalived that is this late gives its address up by itself (timer_expired_backup: three adverts)."""
        return 3 * self.vrrp_advert

    @property
    def replaced_after(self) -> float:
        """A node frozen for less than this cannot have been replaced for its silence."""
        return self.suspect + self.wait - self.heartbeat

    @property
    def takeover(self) -> float:
        """From the crash of the owner to data LUNs owned by a first-ranked challenger, in the worst case."""
        return max(self.silence, self.suspect + self.wait) + self.heartbeat + 5 * self.command_worst


FAST = Timers(
    "fast", defend=0.25, command_worst=0.15, stall=0.25, heartbeat=0.1, suspect=0.3, silence=0.6, path_wait=2.0,
    path_wait_alone=60.0, slow_limit=5.0, watchdog=5.0, agent_restart=2.0, vrrp_advert=0.3, isolation_hold=1.0,
    cold_start_wait=15.0, target_wait=10.0, path_detect=2.0, start_timeout=120.0, stop_timeout=30.0,
    activate_timeout=20.0,
)  # fmt: skip
STANDARD = Timers(
    "standard", defend=0.5, command_worst=0.5, stall=0.5, heartbeat=0.2, suspect=0.8, silence=1.6, path_wait=5.0,
    path_wait_alone=120.0, slow_limit=10.0, watchdog=10.0, agent_restart=4.0, vrrp_advert=0.5, isolation_hold=3.0,
    cold_start_wait=60.0, target_wait=30.0, path_detect=4.0, start_timeout=300.0, stop_timeout=60.0,
    activate_timeout=60.0,
)  # fmt: skip
CONSERVATIVE = Timers(
    "conservative", defend=1.0, command_worst=5.0, stall=2.0, heartbeat=0.5, suspect=3.0, silence=6.0, path_wait=15.0,
    path_wait_alone=300.0, slow_limit=20.0, watchdog=30.0, agent_restart=10.0, vrrp_advert=1.0, isolation_hold=10.0,
    cold_start_wait=180.0, target_wait=60.0, path_detect=10.0, start_timeout=900.0, stop_timeout=180.0,
    activate_timeout=120.0,
)  # fmt: skip
PROFILES = {timers.profile: timers for timers in (FAST, STANDARD, CONSERVATIVE)}


@dataclass(frozen=True, slots=True)
class Relation:
    """`low` must not exceed `high`; `why` says what breaks otherwise."""

    low_name: str
    low: float
    high_name: str
    high: float
    why: str

    def holds(self) -> bool:
        return self.low <= self.high + 1e-9


def relations(t: Timers) -> list[Relation]:
    """Every relation between timers that must hold."""
    return [
        Relation("3 heartbeat", 3 * t.heartbeat, "suspect", t.suspect, "one lost datagram would start a challenge"),
        Relation("suspect", t.suspect, "silence", t.silence, "a challenge registers before it may preempt"),
        Relation("silence", t.silence, "suspect + W", t.suspect + t.wait, "detection would add to the wait"),
        Relation("2 D + command + stall", 2 * t.defend + t.command_worst + t.stall, "W", t.wait,
                 "a healthy owner could not defend in time"),
        Relation("2 tick", 2 * t.tick, "stall", t.stall, "ordinary scheduling would look like a stall"),
        Relation("stall", t.stall, "W", t.wait, "a stalled node could be replaced before it notices"),
        Relation("command", t.command_worst, "slow limit", t.slow_limit, "a normal command would time out"),
        Relation("path detect", t.path_detect, "path wait", t.path_wait, "one dead path would look like all"),
        Relation("W", t.wait, "slow limit", t.slow_limit, "slow storage would move before a defended challenge"),
        Relation("path wait", t.path_wait, "path wait alone", t.path_wait_alone, "waiting alone must be the longer"),
        Relation("stall", t.stall, "VRRP late", t.vrrp_late, "an ordinary stall would take the address down"),
        Relation("VRRP late", t.vrrp_late, "replaced after", t.replaced_after,
                 "a node frozen for long enough to be replaced would still answer for the address"),
        Relation("agent restart + 2 feed", t.agent_restart + 2 * t.feed, "watchdog", t.watchdog,
                 "a killed agent would cost the node"),
        Relation("vouch", t.vouch, "watchdog", t.watchdog, "a hung agent would be fed past its reset"),
        Relation("W", t.wait, "target wait", t.target_wait, "a move would be rolled back while it succeeds"),
        Relation("silence + W", t.silence + t.wait, "cold start wait", t.cold_start_wait,
                 "a node booting alone would not see a running owner"),
        Relation("heartbeat", t.heartbeat, "isolation hold", t.isolation_hold, "one lost ping would move the package"),
    ]  # fmt: skip


def timer_problems(t: Timers) -> list[str]:
    """Every reason why the set is impossible; empty for a sound one."""
    bad = [f"{f.name}: must be above zero" for f in fields(t) if f.name != "profile" and getattr(t, f.name) <= 0]
    return bad + [
        f"{r.low_name} ({r.low:g} s) must not exceed {r.high_name} ({r.high:g} s): {r.why}" for r in relations(t) if not r.holds()
    ]


def build_timers(profile: str, **overrides: float) -> Timers:
    """Timers of a profile, with single values replaced. Raises ImpossibleTimers with every problem at once."""
    if profile not in PROFILES:
        raise ImpossibleTimers([f"profile: {profile!r} is not one of {', '.join(sorted(PROFILES))}"])
    unknown = sorted(set(overrides) - {f.name for f in fields(Timers)} | set(overrides) & {"profile"})
    if unknown:
        raise ImpossibleTimers([f"{name}: no such timer" for name in unknown])
    timers = replace(PROFILES[profile], **overrides)  # type: ignore[arg-type]
    problems = timer_problems(timers)
    if problems:
        raise ImpossibleTimers(problems)
    return timers


_EXPLANATIONS = (
    ("defend", "D: owner checks its keys and writes its beat"),
    ("command_worst", "worst reservation command"),
    ("stall", "tolerated stall; longer ones force a re-check"),
    ("wait", "W = 2 D + command + stall: a challenger waits"),
    ("rank_step", "added per rank: D + command"),
    ("heartbeat", "heartbeat between nodes"),
    ("suspect", "silence that starts a challenge"),
    ("silence", "silence that lets it preempt"),
    ("takeover", "crash to owned LUNs at worst (rank 0)"),
    ("poll", "a standby reads the lock LUN: 2 D"),
    ("tick", "the agent looks at the clock: D / 5"),
    ("path_detect", "a dead path is known"),
    ("path_wait", "all paths gone, a peer can serve: give up"),
    ("path_wait_alone", "all paths gone, nobody can: give up"),
    ("slow_limit", "slowest round still accepted"),
    ("beat_stall", "a beat that stands still is evidence"),
    ("watchdog", "watchdog margin: unfed, the node resets"),
    ("feed", "watchdog device is fed"),
    ("vouch", "one verified round vouches for: 2 D + stall"),
    ("agent_restart", "a killed agent is back"),
    ("vrrp_advert", "VRRP advertisement"),
    ("vrrp_late", "keepalived so late drops its address"),
    ("isolation_hold", "witness gone: owner offers the package"),
    ("cold_start_wait", "unheard peers at boot: start alone"),
    ("target_wait", "move, cold start: target must own it"),
    ("activate_timeout", "volume group and mounts"),
    ("start_timeout", "one resource starts"),
    ("stop_timeout", "one resource stops"),
)


def explain_timers(timers: Timers) -> str:
    """A table of every timer with its meaning and every relation with its verdict, at most 80 columns wide."""
    lines = [f"Timers of profile {timers.profile} (seconds)", ""]
    lines += [f"  {name:<17} {getattr(timers, name):>8.2f}  {text}" for name, text in _EXPLANATIONS]
    lines += ["", "Relations (left must not exceed right)", ""]
    for r in relations(timers):
        mark = "ok" if r.holds() else "IMPOSSIBLE"
        lines.append(f"  {r.low_name:<22} {r.low:>7.2f} <= {r.high:<7.2f} {r.high_name:<19} {mark}")
    return "\n".join(lines) + "\n"
