"""Text in, runbook or all of its problems out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

from holdfast.drill.runbook.faults import ROLES, load_fault_kinds
from holdfast.drill.runbook.located import Located, Problem, load_yaml
from holdfast.drill.runbook.model import (
    Action,
    AppliesTo,
    CheckStep,
    CommandStep,
    Expectation,
    FaultStep,
    HealStep,
    PlaybookStep,
    QuestionStep,
    Runbook,
    Step,
    WaitStep,
)
from holdfast.drill.runbook.schema import Field, Record, suggest
from holdfast.drill.runbook.shape import RUNBOOK, STEP

NEEDS_TARGET = ("package_owned", "node_down", "node_up", "node_standby", "node_state", "paths_complete")
CHECK_NEEDS_TARGET = ("writes_refused", "released", "paths_registered")


def parse_runbook(text: str, file: str) -> Runbook | list[Problem]:
    """Check everything in one pass; build only what has no problem at all."""
    document = load_yaml(text, file)
    if document.value is not None or not document.problems:
        RUNBOOK.check(document.value, (), document)
        _check_meaning(document)
    if document.problems:
        return sorted(document.problems, key=lambda p: p.line)
    return _build(document.value)


def _check_meaning(document: Located) -> None:
    """Rules that need more than one key: names that refer to something, parameters that belong to a kind. What has a
    problem of its shape is not asked for its meaning, everything else is."""
    value = document.value if isinstance(document.value, dict) else {}
    stem = Path(document.file).stem
    if "name" in value and document.is_well(("name",)) and value["name"] != stem:
        document.report(("name",), f"is {value['name']!r}, the file is {stem!r}")
    faults: list[str] = []
    for section in ("steps", "restore"):
        steps = value.get(section)
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            if document.is_well((section, index)):
                kind = next(key for key in step if key != "name")
                STEP_RULES[kind](document, (section, index, kind), step[kind], faults)
            else:
                faults += _name_of_fault(step)


def _name_of_fault(step: Any) -> list[str]:
    """The name that a misspelt fault has all the same: who refers to it makes no second mistake."""
    fault = step.get("fault") if isinstance(step, dict) else None
    return [str(fault.get("id", fault.get("kind")))] if isinstance(fault, dict) else []


def _check_fault(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    kind = load_fault_kinds()[step["kind"]]
    if step["target"] not in (*kind.targets, "all_nodes"):
        document.report((*path, "target"), f"{kind.name} can hit {', '.join(kind.targets)}, not {step['target']}")
    Record("parameters", "", kind.parameters).check(step.get("parameters", {}), (*path, "parameters"), document)
    name = step.get("id", step["kind"])
    if name in faults:
        document.report(path, f"a second fault called {name!r}; give it an id of its own")
    faults.append(name)


def _check_wait(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    what = step["for"]
    if what in NEEDS_TARGET and "target" not in step:
        document.report(path, f"{what} needs a target")
    if what in ("seconds", "clients_served") and "seconds" not in step:
        document.report(path, f"{what} needs seconds")
    if what == "node_state" and "state" not in step:
        document.report(path, "node_state needs state")
    if what == "fault_healed":
        _check_reference(document, (*path, "fault"), step.get("fault", ""), faults)


def _check_check(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    if step["what"] in CHECK_NEEDS_TARGET and "target" not in step:
        document.report(path, f"{step['what']} needs a target")


def _check_command(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    if (step["verb"] == "move") != ("to" in step):
        document.report(path, "`to` belongs to move, and move needs it")
    if step.get("without_poolers") and step["verb"] not in ("move", "failback"):
        document.report(path, "`without_poolers` belongs to move and failback")


def _check_playbook(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    runbook = Path(document.file)
    if runbook.is_file() and not (runbook.resolve().parents[1] / step["file"]).is_file():
        document.report((*path, "file"), f"there is no {step['file']}")
    for name, text in (step.get("variables") or {}).items():
        try:
            unknown = [word for _, word, _, _ in Formatter().parse(text) if word is not None and word not in ROLES] \
                if isinstance(text, str) else []
        except ValueError as error:
            document.report((*path, "variables", name), f"{text!r}: {error}")
            continue
        for word in unknown:
            document.report((*path, "variables", name), f"{{{word}}} is not one of {', '.join(ROLES)}{suggest(word, ROLES)}")


def _check_nothing(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    """Its shape has said it all."""


def _check_heal(document: Located, path: tuple[str | int, ...], step: dict[str, Any], faults: list[str]) -> None:
    if step["fault"] != "all":
        _check_reference(document, (*path, "fault"), step["fault"], faults)


def _check_reference(document: Located, path: tuple[str | int, ...], name: str, faults: list[str]) -> None:
    if name not in faults:
        document.report(path, f"no earlier fault is called {name!r}{suggest(name, tuple(faults))}")


StepRule = Callable[[Located, tuple[str | int, ...], dict[str, Any], list[str]], None]
STEP_RULES: dict[str, StepRule] = {
    "fault": _check_fault,
    "wait": _check_wait,
    "check": _check_check,
    "command": _check_command,
    "playbook": _check_playbook,
    "question": _check_nothing,
    "heal": _check_heal,
}


def _with_defaults(record: Record, value: dict[str, Any]) -> dict[str, Any]:
    return {f.name: value.get(f.name, f.default) for f in record.fields}


def _build(value: dict[str, Any]) -> Runbook:
    full = _with_defaults(RUNBOOK, value)
    return Runbook(
        name=full["name"],
        title=full["title"],
        purpose=" ".join(full["purpose"].split()),
        category=full["category"],
        disruption=full["disruption"],
        steps=tuple(_build_step(step) for step in full["steps"]),
        expect=_build_expectation(_with_defaults(_record_of("expect"), full["expect"])),
        entrance=tuple(full["entrance"]),
        must_catch=tuple(full["must_catch"]),
        known_as={product: tuple(names) for product, names in full["known_as"].items()},
        applies_to=_build_applies(_with_defaults(_record_of("applies_to"), full["applies_to"])),
        restore=tuple(_build_step(step) for step in full["restore"]),
        measure_through=full["measure_through"],
        integrity=tuple(full["integrity"]),
    )


def _build_applies(value: dict[str, Any]) -> AppliesTo:
    return AppliesTo(value["nodes_minimum"], tuple(value["resources"]), tuple(value["needs"]))


def _record_of(key: str) -> Record:
    chosen = next(field.type for field in RUNBOOK.fields if field.name == key)
    assert isinstance(chosen, Record)
    return chosen


def _build_expectation(value: dict[str, Any]) -> Expectation:
    outage = value["outage"]
    return Expectation(
        owner=value["owner"],
        outage=float(outage["seconds"]) if isinstance(outage, dict) else outage,
        client_errors=value["client_errors"],
        moves=value["moves"],
        resets=tuple(value["resets"]),
        may_reset=tuple(value["may_reset"]),
        address_overlap_seconds=float(value["address_overlap_seconds"]),
        log_patterns_allowed=tuple(value["log_patterns_allowed"]),
    )


def _build_step(step: dict[str, Any]) -> Step:
    kind = next(key for key in step if key != "name")
    field: Field = next(k for k in STEP.kinds if k.name == kind)
    assert isinstance(field.type, Record)
    action = BUILDERS[kind](_with_defaults(field.type, step[kind]))
    return Step(step.get("name") or describe_action(action), action)


def _build_fault(value: dict[str, Any]) -> FaultStep:
    parameters = load_fault_kinds()[value["kind"]].with_defaults(value["parameters"] or {})
    return FaultStep(value["id"] or value["kind"], value["kind"], value["target"], parameters,
                     value["ttl_seconds"], value["heal"])  # fmt: skip


def _build_wait(value: dict[str, Any]) -> WaitStep:
    return WaitStep(value["for"], value["target"], value["state"], value["seconds"] or 0.0,
                    value["fault"], value["timeout_seconds"])  # fmt: skip


BUILDERS: dict[str, Callable[[dict[str, Any]], Action]] = {
    "fault": _build_fault,
    "wait": _build_wait,
    "check": lambda value: CheckStep(value["what"], value["target"]),
    "command": lambda value: CommandStep(
        value["verb"], value["target"], value["to"], value["expect"], value["background"], value["without_poolers"]
    ),
    "playbook": lambda value: PlaybookStep(value["file"], value["variables"] or {}),
    "question": lambda value: QuestionStep(value["text"], value["proceed_on"]),
    "heal": lambda value: HealStep(value["fault"]),
}


def describe_action(action: Action) -> str:
    """The sentence for a step that has no name of its own."""
    match action:
        case FaultStep():
            words = " ".join(f"{k}={v}" for k, v in action.parameters.items() if v not in ([], 0))
            return f"fault {action.kind} at {action.target}" + (f" ({words})" if words else "")
        case WaitStep(what="seconds"):
            return f"wait {action.seconds:g} s"
        case WaitStep():
            detail = action.target or action.fault or ""
            return f"wait for {action.what.replace('_', ' ')} {detail} {action.state or ''}".strip()
        case CheckStep():
            return f"check {action.what.replace('_', ' ')}" + (f" at {action.target}" if action.target else "")
        case CommandStep():
            return f"{action.verb} at {action.target}" + (f", to {action.to}" if action.to else "")
        case PlaybookStep():
            return f"playbook {action.file}"
        case QuestionStep():
            return f"ask: {action.text}"
        case HealStep():
            return f"heal {action.fault}"
