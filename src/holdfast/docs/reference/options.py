"""One table for every kind of Ansible option: of a role, of a module, of the package schema, and of what a module returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.docs.reference.markdown import code, sentences, table

Spec = Mapping[str, Any]
_NESTED = ("options", "suboptions", "contains")


def option_table(options: Spec) -> str:
    """Every option with its nested ones, `outer.inner`, a list's entries as `outer[].inner`."""
    rows = [
        (code(name), _type(spec), _default(spec), _meaning(spec)) for name, spec in walk(options)
    ]
    return table(("Option", "Type", "Default", "Meaning"), rows) if rows else "No options."


def return_table(values: Spec) -> str:
    """What a module returns."""
    rows = [(code(name), _type(spec), sentences(spec.get("description"))) for name, spec in walk(values)]
    return table(("Key", "Type", "Meaning"), rows)


def walk(options: Spec, prefix: str = "") -> Iterator[tuple[str, Spec]]:
    """Full name and specification of every option, outer before inner."""
    for name, spec in options.items():
        full = f"{prefix}{name}"
        yield full, spec
        inner = next((spec[key] for key in _NESTED if spec.get(key)), None)
        if inner:
            yield from walk(inner, f"{full}{'[]' if spec.get('type') == 'list' else ''}.")


def _type(spec: Spec) -> str:
    kind = str(spec.get("type", "str"))
    return f"list of {spec['elements']}" if kind == "list" and "elements" in spec else kind


def _default(spec: Spec) -> str:
    if spec.get("required"):
        return "**required**"
    value = spec.get("default")
    if value is None or value == "":
        return ""
    return code(_yaml(value))


def _yaml(value: object) -> str:
    """A default in the way an inventory would write it, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_yaml(item)}' for key, item in value.items())}}}"
    return " ".join(str(value).split())


def _meaning(spec: Spec) -> str:
    parts = [sentences(spec.get("description"))]
    if spec.get("choices"):
        parts.append(f"One of {', '.join(code(choice) for choice in spec['choices'])}.")
    limits = [f"{word} {spec[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in spec]
    if limits:
        parts.append(f"{', '.join(limits).capitalize()}.")
    if spec.get("hint"):
        parts.append(f"Form: {spec['hint']}.")
    return " ".join(parts)
