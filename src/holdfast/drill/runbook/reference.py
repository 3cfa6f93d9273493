"""docs/runbook_schema.md, printed from the shape, so that it cannot disagree with it."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.drill.runbook.faults import load_fault_kinds
from holdfast.drill.runbook.schema import Field, OneKeyOf, Record
from holdfast.drill.runbook.shape import APPLIES, EXPECT, RUNBOOK, STEP

HEAD = """# Runbook reference

Generated from `src/holdfast/drill/runbook/shape.py` and `faults.yml` by `holdfast drill reference`; do not edit.
A runbook is one YAML file in `runbooks/`. All problems of a file are reported at once, each with its line.
Roles (`owner`, `standby`, …) are bound to hosts once, when the steady state has been proven, and keep that meaning
until the drill ends, wherever the package goes.
"""


def render_reference() -> str:
    """The whole page."""
    sections = [HEAD, _record(RUNBOOK), _record(APPLIES), _record(EXPECT), _steps(STEP), _faults()]
    return "\n".join(sections).rstrip() + "\n"


def _rows(fields: tuple[Field, ...]) -> Iterator[str]:
    yield "| Key | Type | Default | Meaning |"
    yield "| --- | --- | --- | --- |"
    for field in fields:
        default = "**required**" if field.required else "" if field.default is None else f"`{_yaml(field.default)}`"
        yield f"| `{field.name}` | {_cell(field.type.words())} | {default} | {_cell(field.doc)} |"


def _yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(str(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _record(record: Record, level: int = 2) -> str:
    return "\n".join([f"{'#' * level} {record.name}", "", record.doc, "", *_rows(record.fields), ""])


def _steps(steps: OneKeyOf) -> str:
    parts = [f"## {steps.name}", "", steps.doc + " Every step may also carry `name`.", ""]
    parts += [_record(kind.type, 3) for kind in steps.kinds if isinstance(kind.type, Record)]
    return "\n".join(parts)


def _faults() -> str:
    lines = ["## Kinds of fault", ""]
    for kind in load_fault_kinds().values():
        lines += [f"### {kind.name}", "", f"{kind.summary}", ""]
        lines += [f"- Targets: {', '.join(kind.targets)}. Done by: {kind.layer}.", f"- Proof: {kind.proof}",
                  f"- Heal: {kind.heal}", ""]  # fmt: skip
        if kind.parameters:
            lines += [*_rows(kind.parameters), ""]
    return "\n".join(lines)
