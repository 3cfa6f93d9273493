"""Who could write, who answered for the address, who was reset, and how often the package moved."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.drill.verdict.history import History, NodeSample, WriteTry, node_of_key
from holdfast.drill.verdict.result import CheckResult, Verdict

# Samples are taken every quarter of a second; a node whose samples stop longer than this while nothing was done to it
# was not observed. Ten periods, because a busy two-core lab host stalls for a second now and then.
MAXIMUM_SAMPLE_GAP_SECONDS = 2.5
# Two nodes' samples are put on one time axis with this much doubt at most (lab: one host clock; hardware: NTP).
CLOCK_DOUBT_SECONDS = 0.1


@dataclass(frozen=True)
class Moment:
    """What is known at one instant: the last word of every node, the newest table of every LUN with the time at which
    the array gave it, and since when each node has been seen mounted."""

    time: float
    latest: dict[str, NodeSample]
    tables: dict[str, tuple[float, frozenset[str]]]
    mounted_since: dict[str, float]

    def writers(self, node_ids: dict[int, str]) -> frozenset[str]:
        """Nodes that have the file systems mounted and whose key the array still holds on some LUN. A table that is
        older than the newest mount tells who could write before it: the next sample has a newer one."""
        newest = max(self.mounted_since.values(), default=0.0)
        fresh = [keys for given, keys in self.tables.values() if given >= newest]
        registered = {node_ids.get(node_of_key(key)) for keys in fresh for key in keys}
        return frozenset(n for n in self.mounted_since if n in registered)

    @property
    def unseen_seconds(self) -> float:
        """For how long the newest mount has been there without a table of keys that is newer; 0 where there is one."""
        newest = max(self.mounted_since.values(), default=self.time)
        return self.time - newest if all(given < newest for given, _ in self.tables.values()) else 0.0


def moments(history: History) -> Iterator[Moment]:
    """Replay all samples. A silent node keeps its last state: a frozen node still has everything mounted."""
    latest: dict[str, NodeSample] = {}
    tables: dict[str, tuple[float, frozenset[str]]] = {}
    since: dict[str, float] = {}
    for sample in sorted(history.samples, key=lambda s: s.time):
        latest[sample.node] = sample
        if sample.mounted:
            since.setdefault(sample.node, sample.time)
        else:
            since.pop(sample.node, None)
        for lun, view in sample.luns.items():
            given = sample.time - view.age
            if not view.error and given >= tables.get(lun, (0.0, frozenset()))[0]:
                tables[lun] = (given, view.keys)
        yield Moment(sample.time, dict(latest), dict(tables), dict(since))


def check_observed(history: History) -> CheckResult:
    """Without samples of every node nothing can be said about ownership."""
    name, title = "observed", "Every node was watched all the time"
    findings: list[str] = []
    for node in history.nodes:
        own = sorted((s for s in history.samples if s.node == node), key=lambda s: s.time)
        if not own:
            findings.append(f"{node}: no samples at all")
        for a, b in itertools.pairwise(own):
            if b.time - a.time > MAXIMUM_SAMPLE_GAP_SECONDS and a.boot_id == b.boot_id and not _excused(history, a, b):
                findings.append(f"{node}: not observed for {b.time - a.time:.1f} s")
    if findings:
        return CheckResult(name, title, Verdict.UNKNOWN, findings[0], tuple(findings))
    return CheckResult(name, title, Verdict.PASS, f"{len(history.samples)} samples of {len(history.nodes)} nodes")


def _excused(history: History, a: NodeSample, b: NodeSample) -> bool:
    """A frozen node cannot take samples; that is the fault, not a hole in the evidence."""
    freezing = (f for f in history.faults if f.host == a.node and f.kind == "node_freeze")
    return any(f.injected <= b.time and (f.healed is None or f.healed >= a.time) for f in freezing)


def check_one_writer(history: History) -> CheckResult:
    """I1 and I3: never two nodes that have the data mounted and may write to it, by the array's own tables."""
    name, title = "one_writer", "Never two nodes that could write"
    if not any(view.keys for s in history.samples for view in s.luns.values()):
        return CheckResult(name, title, Verdict.UNKNOWN, "no reservation table was ever read")
    names = {number: node for node, number in history.node_ids.items()}
    double = [(m.time, m.writers(names)) for m in moments(history) if len(m.writers(names)) > 1]
    if double:
        findings = tuple(f"{t - history.zero:+.2f} s: {', '.join(sorted(nodes))}" for t, nodes in double[:20])
        return CheckResult(name, title, Verdict.FAIL, f"two writers in {len(double)} samples", findings, len(double), 0)
    unseen = max((m.unseen_seconds for m in moments(history)), default=0.0)
    if unseen > MAXIMUM_SAMPLE_GAP_SECONDS:
        return CheckResult(name, title, Verdict.UNKNOWN, f"no table of keys for {unseen:.1f} s after a node had mounted")
    return CheckResult(name, title, Verdict.PASS, f"at most one in {len(history.samples)} samples", measured=0, limit=0)


def check_writes_refused(history: History) -> CheckResult:
    """The proof at the storage: a node that does not own the package tries to write on every path of every LUN."""
    name, title = "writes_refused", "Array refuses the nodes that do not own"
    tries = [w for w in history.writes if w.expected_refused]
    if not tries:
        return CheckResult(name, title, Verdict.UNKNOWN, "no write was tried on a node that does not own the package")
    accepted = [f"{w.node} could write to {w.lun} through {w.path}" for w in tries if w.refused is False]
    unclear = [f"{w.node} {w.lun} {w.path}: {w.error}" for w in tries if w.refused is None] + untried(history, tries)
    if accepted:
        return CheckResult(name, title, Verdict.FAIL, accepted[0], tuple(accepted), len(accepted), 0)
    if unclear:
        return CheckResult(name, title, Verdict.UNKNOWN, unclear[0], tuple(unclear))
    nodes = ", ".join(sorted({w.node for w in tries}))
    return CheckResult(name, title, Verdict.PASS, f"{len(tries)} of {len(tries)} writes refused ({nodes})")


def check_owner_writes(history: History) -> CheckResult:
    """Every path of the owner takes a write: a path without registration is a failure that waits for its day."""
    name, title = "owner_paths", "Owner can write through every path"
    tries = [w for w in history.writes if not w.expected_refused]
    if not tries:
        return CheckResult(name, title, Verdict.UNKNOWN, "no path of the owner was tried")
    refused = [f"{w.node} {w.lun} {w.path}: {w.error or 'refused'}" for w in tries if w.refused is not False]
    if refused:
        return CheckResult(name, title, Verdict.FAIL, refused[0], tuple(refused), len(refused), 0)
    if missing := untried(history, tries):
        return CheckResult(name, title, Verdict.UNKNOWN, missing[0], tuple(missing))
    return CheckResult(name, title, Verdict.PASS, f"{len(tries)} of {len(tries)} paths take writes")


def untried(history: History, tries: list[WriteTry]) -> list[str]:
    """Paths and LUNs that the nodes had before and through which nothing was tried: what is not tried is not refused."""
    found = []
    for node in sorted({w.node for w in tries}):
        packages = history.state_before.get(node, {}).get("packages", {})
        for lun, before in packages.get(history.run.get("package"), {}).get("luns", {}).items():
            paths = {w.path for w in tries if (w.node, w.lun) == (node, lun)}
            if len(paths) < before["paths"]:
                found.append(f"{node} {lun}: tried through {len(paths)} of {before['paths']} paths")
    return found


def check_one_address(history: History) -> CheckResult:
    """The neighbours' view: one question, one answer. Two hardware addresses are two nodes with the same address."""
    name, title = "one_address", "Only one node answers for the address"
    answered = [s for s in history.address_samples if s.macs]
    if not answered:
        return CheckResult(name, title, Verdict.UNKNOWN, "nobody was ever seen answering for the address")
    double = [s for s in answered if len(s.macs) > 1]
    span = _longest_run([s.time for s in double])
    allowed = history.expect.address_overlap_seconds
    findings = tuple(f"{s.time - history.zero:+.2f} s: {', '.join(sorted(history.macs.get(m, m) for m in s.macs))}"
                     for s in double)  # fmt: skip
    if double and span > allowed:
        words = f"two answers in {len(double)} of {len(answered)} questions"
        return CheckResult(name, title, Verdict.FAIL, words, findings[:20], span, allowed, "s")
    words = f"{len(answered)} questions, {len(double)} with two answers"
    return CheckResult(name, title, Verdict.PASS, words, findings[:20], span, allowed, "s")


def _longest_run(times: list[float], joined_within: float = 1.0) -> float:
    """Length of the longest cluster of times, a lone one counting as the time between two questions."""
    longest = 0.0
    start = previous = None
    for time in times:
        if previous is None or time - previous > joined_within:
            start = time
        previous = time
        longest = max(longest, time - (start if start is not None else time) + 0.2)
    return longest


def check_address_follows(history: History) -> CheckResult:
    """I2: the address is up only where the reservation is."""
    name, title = "address_follows", "The address is only where the data is"
    if not any(s.addresses for s in history.samples):
        return CheckResult(name, title, Verdict.UNKNOWN, "the address was never seen on any node")
    stray = [s for s in sorted(history.samples, key=lambda s: s.time) if s.addresses and not _holds(history, s)]
    worst_span, findings = 0.0, []
    for node in history.nodes:
        times = [s.time for s in stray if s.node == node]
        span = _longest_run(times)
        worst_span = max(worst_span, span)
        findings += [f"{node} had the address without the reservation at {t - history.zero:+.2f} s" for t in times[:10]]
    allowed = max(history.expect.address_overlap_seconds, CLOCK_DOUBT_SECONDS + 2 * SAMPLE_PERIOD_SECONDS)
    if worst_span > allowed:
        return CheckResult(name, title, Verdict.FAIL, f"address without data for {worst_span:.1f} s", tuple(findings),
                           worst_span, allowed, "s")  # fmt: skip
    return CheckResult(name, title, Verdict.PASS, "always on the node that holds the reservation", tuple(findings))


# The observer's period; an address that is dropped within the same period as the key is not told apart.
SAMPLE_PERIOD_SECONDS = 0.25


def _holds(history: History, sample: NodeSample) -> bool:
    """Whether the node's own key is registered on some LUN in its own view, or its view is an error (paths gone)."""
    own = history.node_ids[sample.node]
    views = sample.luns.values()
    return any(view.error or any(node_of_key(key) == own for key in view.keys) for view in views)


def owners_over_time(history: History) -> list[tuple[float, str]]:
    """Changes of ownership as (time, node): the node that holds the reservation and has the data mounted."""
    changes: list[tuple[float, str]] = []
    for sample in sorted(history.samples, key=lambda s: s.time):
        own = history.node_ids[sample.node]
        holds = any(v.holder and node_of_key(v.holder) == own for v in sample.luns.values())
        if sample.mounted and holds and (not changes or changes[-1][1] != sample.node):
            changes.append((sample.time, sample.node))
    return changes


def check_moves(history: History) -> CheckResult:
    """I7 and I5: the package moved no more often than it had to."""
    name, title = "moves", "No needless moves"
    act, heal = history.phase("act"), history.phase("heal")
    if act is None or not history.samples:
        return CheckResult(name, title, Verdict.UNKNOWN, "nothing was observed")
    until = heal.ended if heal else act.ended
    changes = owners_over_time(history)
    during = [(t, n) for t, n in changes[1:] if act.started <= t <= until]
    findings = tuple(f"{t - history.zero:+.1f} s: {n}" for t, n in during)
    if not changes:
        return CheckResult(name, title, Verdict.UNKNOWN, "no node was ever seen as the owner")
    good = len(during) <= history.expect.moves
    words = f"{len(during)} of at most {history.expect.moves}"
    return CheckResult(name, title, Verdict.PASS if good else Verdict.FAIL, words, findings, len(during),
                       history.expect.moves)  # fmt: skip


def check_end_owner(history: History) -> CheckResult:
    """Who owned the package when the act was over."""
    name, title = "end_owner", "The right node owns the package"
    act = history.phase("act")
    changes = owners_over_time(history)
    if act is None or not changes:
        return CheckResult(name, title, Verdict.UNKNOWN, "no node was ever seen as the owner")
    last = [n for t, n in changes if t <= act.ended]
    actual = last[-1] if last else "nobody"
    wanted = {
        "either": frozenset(history.nodes),
        "owner": frozenset({history.host_of("owner")}),
        "standby": frozenset(history.nodes) - {history.host_of("owner")},
        "nobody": frozenset({"nobody"}),
    }[history.expect.owner]
    bad = Verdict.UNKNOWN if history.act_cut_short else Verdict.FAIL
    words = f"{actual}; expected {' or '.join(sorted(wanted))}"
    return CheckResult(name, title, Verdict.PASS if actual in wanted else bad, words)


def check_resets(history: History) -> CheckResult:
    """Who restarted: those that had to, and nobody else."""
    name, title = "resets", "Only the right nodes restarted"
    since = history.act_start
    boots = {node: _boots(history, node, since) for node in history.nodes} if since is not None else {}
    if not boots or any(count == 0 for count in boots.values()):
        return CheckResult(name, title, Verdict.UNKNOWN, "a node has no samples" if boots else "there was no act")
    restarted = {node for node, count in boots.items() if count > 1}
    must = history.hosts_of(history.expect.resets) & set(history.nodes)
    may = must | history.hosts_of(history.expect.may_reset)
    wrong = [f"{n} restarted" for n in sorted(restarted - may)] + [f"{n} did not" for n in sorted(must - restarted)]
    if wrong:
        bad = Verdict.UNKNOWN if history.act_cut_short and restarted <= may else Verdict.FAIL
        return CheckResult(name, title, bad, "; ".join(wrong), tuple(wrong))
    return CheckResult(name, title, Verdict.PASS, f"restarted: {', '.join(sorted(restarted)) or 'none'}")


def _boots(history: History, node: str, since: float) -> int:
    """Starts that were seen from the act on, the one that was running when it began included."""
    own = sorted((s for s in history.samples if s.node == node), key=lambda s: s.time)
    before = [s.boot_id for s in own if s.time <= since][-1:]
    return len({*before, *(s.boot_id for s in own if s.time > since)})
