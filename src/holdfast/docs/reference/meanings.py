"""Words for what the agent names by itself: states, findings, notes, and the events of its log.

The names come from the code. A name without words here, or words for a name that is gone, fails `docs reference`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from holdfast.lab.errors import LabError

STATES = {
    "stopped": "Down because a person stopped it. Nobody starts it until a person does.",
    "standby": "This node does not have the package. It reads the lock LUN every 2 D and is ready, or its reason says why not.",
    "challenging": "It has evidence against the owner, registered on the lock LUN only, and waits before it strikes.",
    "starting": "It holds the lock LUN and claims the data LUNs, verifies, activates, mounts and starts; or it verifies what it "
    "found running when the agent started.",
    "owner": "Mounted and running here; verified every D, resources watched.",
    "stopping": "Resources stopped in reverse order, address down, unmounted, then the keys are given up.",
    "ejected": "Lost it, or gave up: watchdog unfed, everything killed and unmounted. Back to standby when the clean stop is "
    "proven; otherwise the watchdog resets the node.",
    "maintenance": "As owner, but a failing resource is left alone and nothing moves. Ownership is still defended, and a lost "
    "one still ejects.",
    "detached": "Runs, but nobody watches or defends; noted on the lock LUN, so that the other nodes stand off.",
    "failed": "Down with a reason: no node could start it, or it moved too often. A person looks first.",
}

_NOTHING = "nothing; or still the data LUNs, after a stop while another node was not heard at rest"
REGISTRATIONS = {
    "stopped": _NOTHING, "standby": _NOTHING, "challenging": "lock LUN", "starting": "lock LUN, then data LUNs",
    "owner": "all LUNs", "stopping": "all LUNs, then nothing", "ejected": "what is left, until cleaned up",
    "maintenance": "all LUNs", "detached": "all LUNs", "failed": _NOTHING,
}  # fmt: skip

FINDINGS = {
    "lost": "The own key is gone and another is there, another node holds the reservation, or a write met a conflict. Ejected.",
    "gone": "No path to a LUN. Nothing is proven; the node waits `path_wait` or `path_wait_alone`, then gives up.",
    "unverified": "A LUN did not answer in time or with an error. As above, with `slow_limit`.",
    "empty": "No key at all on a LUN: the array forgot, or somebody cleared. Repaired with writes suspended.",
    "unreserved": "Keys are there, the type 5 reservation is not. Repaired with writes suspended.",
    "unregistered path": "A live path carries no registration of this node. Repaired with writes suspended.",
    "foreign key on a data LUN": "Somebody registered on a data LUN. Preempted.",
    "foreign key on the lock LUN": "A challenger. A healthy owner preempts it; an isolated one gives way.",
    "own": "All as it must be.",
}

NOTES = {
    "owned": "An owner runs the package.",
    "released": "Stopped in order and given up: proof for the next owner, who need not wait.",
    "stopped": "Stopped by a person.",
    "failed": "Left down, with the reason.",
    "maintenance": "The owner does not want to be challenged. The other nodes stand off.",
    "detached": "It runs unwatched. The other nodes stand off.",
}

EVENTS = {
    "pooler not paused": "A pooler did not agree to pause; an operator's move is given up, others go on without it.",
    "pooler not told": "A pooler could not be told that this node serves; it is asked again.",
    "pooler paused": "A pooler holds its clients back until the package answers again, or until its own deadline.",
    "pooler serves": "A pooler knows that this node serves.",
    "poolers asked to pause": "Before a move: all poolers were asked, and whether all agreed.",
    "written out": "A checkpoint before the poolers pause, so that the stop is short.",
    "address down": "A virtual address is no longer on its interface.",
    "address not announced": "The agent's own gratuitous ARP could not be sent.",
    "address not added": "The kernel refused an allowed address; keepalived tries it again.",
    "address not removed": "The kernel refused to remove an address that must not be here.",
    "address put back": "An allowed address was taken away, as by a keepalived that starts again, and was put back at once.",
    "address withheld": "Agents were away for so long that a peer may have taken the package: the address waits for a proof.",
    "address removed": "An address was here without being allowed and was taken away.",
    "address up": "A virtual address is on its interface.",
    "agent ended": "Last line of an agent that was told to end.",
    "agent is ending": "SIGTERM: `move` where the machine goes down, `detach` where only the agent ends.",
    "agent started": "First line of an agent: version, key, profile, packages; `fresh` is the first start since boot.",
    "attached again": "What the previous agent detached at its end was taken up by itself.",
    "claim again": "On the way to the mount a look showed something unexpected on the LUNs; the step is repeated.",
    "command": "An operator gave a command.",
    "defend": "A foreign key on the lock LUN was preempted by the owner.",
    "doubt": "A strike ended without a clear answer; the keys are read.",
    "fit to run the package": "An earlier obstacle to running the package here is gone.",
    "health": "A resource became healthy or failed.",
    "inspected": "What of the package was found on this node at agent start.",
    "key file of multipathd mended": "The file was damaged, most likely by a power cut, and was repaired.",
    "look again": "A storage command on the way to the mount did not end well; the LUNs are read before anything else.",
    "lower address": "The addresses are taken down, with the reason.",
    "memory not locked": "The kernel refused mlockall; the agent may be paged out.",
    "move waits": "A move is held back by a transaction that is longer than its limit; said once for each session.",
    "no VRRP listener": "VRRP advertisements cannot be heard; heartbeats alone tell about peers.",
    "no defence": "A challenge was not answered, because this node is giving the package up.",
    "no real-time priority": "The kernel refused the priority; the agent takes the first place among ordinary processes, and "
                             "a busy node may delay it.",
    "no watchdog": "No watchdog is configured: a node that cannot stop is not stopped.",
    "not fit to run the package": "Something that the package needs is missing here, such as the server's program.",
    "not handed over": "At the agent's end a package could be neither moved nor detached, with the reason.",
    "peer dead": "A person confirmed that a node is dead (`holdfastctl confirm-dead`); it counts until that node is heard again.",
    "preempt data": "Foreign keys on a data LUN were removed.",
    "release": "Giving the keys up: a step that is repeated, or data LUNs that stay reserved on purpose.",
    "repair": "Registrations or reservation were incomplete and are being restored, with writes suspended.",
    "restart": "The array forgot its reservations during a challenge; the challenge starts again with the full wait.",
    "restart in place": "A failed resource is restarted here, with the count of the limit.",
    "slow storage command": "A storage command took longer than the timers assume.",
    "stall": "The agent did not run for longer than tolerated; nothing is believed until the LUNs were read.",
    "state": "The package's state or its reason changed here.",
    "stop feeding the watchdog": "This node lost the package: unless the stop is proven in time, the watchdog resets it.",
    "storage child failed": "The process that talks to the LUNs hung or broke.",
    "storage remark": "Something noticed on the way, such as a path that needed a second try.",
    "takeover": "The package serves here: cause, seconds by phase, and the total.",
    "unverified": "A round could not prove ownership; first line of a series.",
    "virtual router": "keepalived reported a change of a virtual router.",
    "volume group claimed": "The volume group now carries this node's LVM system id.",
    "volume group not claimed": "It could not be written; only LVM's own tools notice.",
    "wait": "A challenge registered on the lock LUN and waits.",
    "wait again": "The wait starts anew, with the reason.",
    "watchdog armed": "From here on the node resets unless the agent feeds the watchdog.",
    "watchdog fed again": "Every package vouches again.",
    "watchdog not fed": "At least one package does not vouch for the node, and the watchdog runs down.",
    "watchdog stays armed": "The agent ends beside a running package: the node resets unless the next agent comes in time.",
    "witness": "The witness became reachable or went out of reach.",
    "work done": "A start, stop, mount or unmount ended well, with its seconds.",
    "work failed": "A start, stop, mount or unmount failed, with the reason.",
}

STATUS = {
    "poolers": "By host, on the owner: whether the pooler knows that this node serves, and its words.",
    "state": "State of the package on this node.",
    "reason": "Why, in words.",
    "since": "When the state began (RFC 3339).",
    "owner": "Node whose key holds the lock LUN, as this node last read it; null where nobody of the cluster does.",
    "attached": "false while it runs detached.",
    "can_serve": "Whether this node would take the package if it were free; a move to it is refused where not.",
    "keys": "Own keys by LUN and path.",
    "registered": "All keys by LUN.",
    "holder": "Key of the reservation holder by LUN.",
    "read_seconds_ago": "By LUN, how old its keys and holder in this document are: a node at rest reads the lock LUN alone.",
    "address": "Whether each virtual address is on this node.",
    "failures": "Restarts, unplanned moves and failed nodes that still count.",
    "flaps": "Unplanned moves within the period that is watched.",
    "last_takeover": "Cause, seconds by phase and total of the last start of the package here.",
    "key": "Reservation key of this agent start (or the adopted one).",
    "term": "Number of the ownership; grows with each new owner.",
}


def explained(names: Iterable[str], words: Mapping[str, str], what: str) -> list[tuple[str, str]]:
    """Each name with its words, in the order of the names; LabError where the two do not match."""
    known = list(dict.fromkeys(names))
    missing, left = [name for name in known if name not in words], [name for name in words if name not in known]
    if missing or left:
        raise LabError(
            f"src/holdfast/docs/reference/meanings.py, {what}: no words for {', '.join(missing) or 'nothing'}; "
            f"words without a name: {', '.join(left) or 'none'}"
        )
    return [(name, words[name]) for name in known]
