"""The agent: ``python3 -m holdfast_agent``.

Order matters here. The forking child first, while the process is small and holds nothing; then the epoch, on stable
storage before any key made from it is used; then memory and priority; the watchdog last, because from then on the
node resets unless the agent runs.
"""

from __future__ import annotations

import os
import signal
import sys

from .children.process import lock_memory, set_process_name, use_real_time
from .children.worker import serve_jobs
from .children.zygote import start_zygote
from .config import load_node, load_packages
from .core.timers import ImpossibleTimers, build_timers
from .daemon.epoch import next_epoch
from .daemon.loop import Loop
from .daemon.node_agent import NodeAgent
from .daemon.peer_links import SECRET_PATH, read_secret
from .daemon.ports import Ports
from .daemon.shutdown import SIGNALS, Shutdown
from .errors import HoldfastError
from .eventlog.writer import WARNING, EventLog
from .multipath.key_file import mend_key_file
from .resources.control_group import enter_agent_group
from .watchdog.device import Countdown, Watchdog, open_watchdog

# Above its own children (5): the loop only ever computes, and never for long.
PRIORITY = 10


def main() -> int:
    """Run the agent; returns the exit code."""
    try:
        return run_agent()
    except (HoldfastError, ImpossibleTimers) as error:
        print(f"<3>holdfast-agent: {error}", file=sys.stderr)
        return 1


def run_agent() -> int:
    """Build everything, then serve until told to end."""
    config, packages, secret = load_node(), load_packages(), read_secret(SECRET_PATH)
    timers = build_timers(config.profile)
    set_process_name("holdfast-agent")
    end_leftovers(enter_agent_group())
    zygote = start_zygote(serve_jobs)
    log = EventLog(config.node)
    epoch = next_epoch()
    for word, problem in (("memory not locked", lock_memory()), ("no real-time priority", use_real_time(PRIORITY))):
        if problem is not None:
            log.write(word, level=WARNING, reason=problem)
    # Until it is known what to do about them, a signal would end the agent and leave the watchdog armed.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    watchdog = arm_watchdog(config.watchdog, timers.watchdog, log)
    wwids = frozenset(lun.wwid for package in packages for lun in (package.lock_lun, *package.luns))
    if mend_key_file(wwids):
        log.write("key file of multipathd mended", level=WARNING, reason="it was damaged, most likely by a power cut")
    loop = Loop()
    agent = NodeAgent(Ports(loop, log, zygote), config, packages, timers, secret, epoch, watchdog)
    Shutdown(loop, log, agent).install()
    agent.start()
    loop.run()
    return 0


def arm_watchdog(device: str, margin_seconds: float, log: EventLog) -> Countdown | None:
    """Arm the configured watchdog, or inherit its countdown; a node that is configured without one says so at every start."""
    if not device:
        log.write("no watchdog", level=WARNING, reason="node.json names none: a node that cannot stop is not stopped")
        return None

    def opened() -> Watchdog:
        watchdog = open_watchdog(device, round(margin_seconds))
        log.write("watchdog armed", device=device, identity=watchdog.identity, margin_seconds=watchdog.margin_seconds)
        return watchdog

    return Countdown(device, opened)


def end_leftovers(pids: tuple[int, ...]) -> None:
    """Kill children of an earlier agent: they could still act on decisions that nobody stands for any more."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    sys.exit(main())
