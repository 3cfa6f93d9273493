"""The shape of a runbook file. docs/runbook_schema.md is printed from this, so every key carries its sentence."""

from __future__ import annotations

from holdfast.drill.runbook.faults import ROLES, load_fault_kinds
from holdfast.drill.runbook.schema import Choice, Field, Flag, ListOf, MapOf, Number, OneKeyOf, Record, Text, Type

CATEGORIES = ("planned", "node", "database", "agent", "network", "storage", "array", "operator", "combined")
# Asked where a runbook does not say: what every cluster that is well fulfils.
ENTRANCE = ("package_up", "standby_ready", "paths_complete", "clients_served", "no_leftovers")
NODE_ROLES = Choice((*ROLES, "all_nodes"))

WAITS = {
    "package_owned": "the target owns the package and its database answers",
    "package_up": "some node owns the package and its database answers",
    "package_down": "no node owns the package, and the agents say why",
    "node_down": "the target does not answer",
    "node_up": "the target answers and its agent runs",
    "node_standby": "the target's agent reports standby, and that it could take over",
    "node_state": "the target's agent reports the state given as `state`",
    "paths_complete": "every path of every LUN is active on the target, and the owner's are registered",
    "clients_served": "every probe worker has succeeded without an error for `seconds`",
    "fault_healed": "the timer on the node has undone the fault named in `fault`",
    "seconds": "`seconds` have passed; the invariants are sampled all the time",
}
CHECKS = {
    "writes_refused": "a write of the target through every path of every LUN is refused by the array",
    "released": "the target has neither the address nor a mounted file system nor a running database of the package",
    "paths_registered": "every path of every LUN of the target carries its registration and takes a write",
    "reason_given": "the agents' status says in words why the package is not running",
    "not_moved": "the package is where it was when the drill began, and has not been anywhere else",
}
VERBS = ("move", "stop", "start", "failback", "rejoin", "detach", "attach", "forget-failures",
         "maintenance-on", "maintenance-off")  # fmt: skip


def _record(name: str, doc: str, *fields: Field) -> Record:
    return Record(name, doc, fields)


def _listing(entries: dict[str, str]) -> str:
    return "; ".join(f"`{name}`: {words}" for name, words in entries.items())


FAULT = _record(
    "fault",
    "Injects a fault. Undone by the next phase (heal), by a `heal` step, or by its timer on the node.",
    Field("kind", Choice(tuple(load_fault_kinds())), "Which fault; see the list below.", required=True),
    Field("target", NODE_ROLES, "Where.", required=True),
    Field("id", Text(r"[a-z][a-z0-9_]*"), "Name by which a later `heal` or `wait` means this fault."),
    Field("parameters", MapOf(), "What this kind needs to know."),
    Field("ttl_seconds", Number(1, 3600), "After this time the node undoes the fault by itself.", default=120),
    Field("heal", Choice(("driver", "timer")), "`timer`: the driver leaves it to the node (rehearses its own death).",
          default="driver"),
)  # fmt: skip
WAIT = _record(
    "wait",
    "Waits for a declared state, with a deadline.",
    Field("for", Choice(tuple(WAITS)), _listing(WAITS) + ".", required=True),
    Field("target", NODE_ROLES, "Which node is meant."),
    Field("state", Text(), "With `node_state`: the agent's state; several are separated by `|`."),
    Field("seconds", Number(), "With `seconds` and `clients_served`: how long."),
    Field("fault", Text(), "With `fault_healed`: the id of the fault."),
    Field("timeout_seconds", Number(1, 3600), "Deadline; missing it ends the act and fails the drill.", default=60),
)
CHECK = _record(
    "check",
    "A question with the answer yes or no; no fails the drill, unanswered makes it UNKNOWN.",
    Field("what", Choice(tuple(CHECKS)), _listing(CHECKS) + ".", required=True),
    Field("target", NODE_ROLES, "Which node is asked."),
)
COMMAND = _record(
    "command",
    "One verb of the agent, sent to one node as an operator would do.",
    Field("verb", Choice(VERBS), "The verb.", required=True),
    Field("target", NODE_ROLES, "The node on which it is given.", required=True),
    Field("to", NODE_ROLES, "With `move`: the node that shall own the package."),
    Field("expect", Choice(("accepted", "refused")), "What the agent must answer.", default="accepted"),
    Field("without_poolers", Flag(), "With `move` and `failback`: do not pause the package's poolers first.", default=False),
    Field("background", Flag(), "Go on without waiting for the answer, which is then not judged.", default=False),
)
PLAYBOOK = _record(
    "playbook",
    "Runs a playbook with the drill's inventory.",
    Field("file", Text(r"[\w./-]+\.yml"), "Relative to the project.", required=True),
    Field("variables", MapOf(), "Extra variables; roles in braces (`{standby}`) are replaced by host names."),
)
QUESTION = _record(
    "question",
    "Stops and asks a person; the answer goes into the evidence. Without a terminal the drill ends UNKNOWN.",
    Field("text", Text(), "The question, answerable with yes or no.", required=True),
    Field("proceed_on", Choice(("yes", "no")), "The answer that lets the drill go on.", default="yes"),
)
HEAL = _record("heal", "Undoes faults before the heal phase.", Field("fault", Text(), "An id, or `all`.", required=True))

STEP = OneKeyOf(
    "step",
    "Exactly one action.",
    (
        Field("fault", FAULT, "Inject a fault."),
        Field("wait", WAIT, "Wait for a state."),
        Field("check", CHECK, "Ask the cluster something."),
        Field("command", COMMAND, "Give the agent a command."),
        Field("playbook", PLAYBOOK, "Run a playbook."),
        Field("question", QUESTION, "Ask a person."),
        Field("heal", HEAL, "Undo a fault now."),
    ),
    (Field("name", Text(), "What this step is for, in the reader's words."),),
)


class OutageType:
    """``none``, ``switchover``, ``takeover``, ``any``, or ``{seconds: n}``."""

    words_of = ("none", "switchover", "takeover", "any")

    def check(self, value: object, path: tuple[str | int, ...], document: object) -> None:
        inner: Type = _SECONDS if isinstance(value, dict) else Choice(self.words_of)
        inner.check(value, path, document)  # type: ignore[arg-type]

    def words(self) -> str:
        return "`none`, `switchover`, `takeover`, `any` or `{seconds: number}`"


_SECONDS = _record("seconds", "A limit in seconds.", Field("seconds", Number(), "The limit.", required=True))

EXPECT = _record(
    "expect",
    "What must be true for a PASS. The standing checks (one writer, one address, no acknowledged row lost, address on "
    "the owner, faults proven, state as before) are always there and need not be written down.",
    Field("owner", Choice(("owner", "standby", "either", "nobody")),
          "Who owns the package when the act ends. Roles are those of the start.", required=True),
    Field("outage", OutageType(), "Longest time without success that any client may see. `takeover` and `switchover` "
          "are the package's objectives, `none` is no failed attempt and no gap above one second.", required=True),
    Field("client_errors", Choice(("allowed", "none")), "Whether attempts of clients may fail.", default="allowed"),
    Field("moves", Number(0, 1000, whole=True), "How often the ownership may change during the act.", default=1),
    Field("resets", ListOf(NODE_ROLES), "Nodes that restart during the act; all others must not.", default=[]),
    Field("may_reset", ListOf(NODE_ROLES), "Nodes that may restart: stopping in order is as good.", default=[]),
    Field("address_overlap_seconds", Number(0, 60),
          "How long a node that lost the package may still answer for the address. Zero, except where the node was "
          "frozen: its kernel answers before its agent can run.", default=0),
    Field("log_patterns_allowed", ListOf(Text()), "Regular expressions of log lines that belong to this fault.",
          default=[]),
)  # fmt: skip

APPLIES = _record(
    "applies_to",
    "Where this drill can be run; elsewhere it is listed as not applicable, with the reason.",
    Field("nodes_minimum", Number(1, whole=True), "Smallest number of nodes.", default=2),
    Field("resources", ListOf(Text()), "Resource types of which the package must have one.", default=[]),
    Field("needs", ListOf(Choice(("power", "freeze", "cable", "second_storage_network"))),
          "What the site must be able to do.", default=[]),
)  # fmt: skip

RUNBOOK = _record(
    "runbook",
    "One drill.",
    Field("name", Text(r"[a-z][a-z0-9_]*"), "Equal to the file's name.", required=True),
    Field("title", Text(), "One line, in the words of an operator.", required=True),
    Field("purpose", Text(), "Why anybody should run it: what would be believed without it.", required=True),
    Field("category", Choice(CATEGORIES), "Where it is listed.", required=True),
    Field("disruption", Choice(("none", "pause", "outage")), "What clients feel when all goes well.", required=True),
    Field("known_as", MapOf(ListOf(Text())), "Names of the same test in other products.", default={}),
    Field("applies_to", APPLIES, "Where it can be run.", default={}),
    Field("measure_through", Choice(("address", "pooler")), "Which way the probe goes to the database: straight to the "
          "package's address, or through the pooler on its host.", default="address"),
    Field("entrance", ListOf(Choice((*ENTRANCE, "on_preferred_node")), 1), "What must be true before anything is touched.",
          default=list(ENTRANCE)),
    Field("steps", ListOf(STEP, 1), "The act.", required=True),
    Field("expect", EXPECT, "What must come out.", required=True),
    Field("restore", ListOf(STEP), "Steps after the heal that bring the cluster back to where it was; the package is "
          "moved back to its first owner in any case, and so are the cluster's other packages.", default=[]),
    Field("integrity", ListOf(Choice(("amcheck", "checksums"))), "Tools of the database itself that look for damage when the "
          "package is home again: pg_amcheck on everything, and the checksum of every page. MariaDB answers both with one "
          "tool, mariadb-check.", default=[]),
    Field("must_catch", ListOf(Text(r"[a-z_]+"), 1), "Deliberate breaks of the cluster that this drill has to notice; "
          "the tests break exactly that and demand the verdict.", required=True),
)  # fmt: skip
