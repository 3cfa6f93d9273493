"""Check values against the schema: types, keys, ranges. Finds all problems at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .problems import Problem
from .schema import Spec

_TYPE_NAMES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping",
    "list": "a list",
}


def check_shape(value: Any, spec: Spec, path: str) -> tuple[Any, list[Problem]]:
    """The value with defaults filled in, and what is wrong with it.

    Numbers are accepted as text where the schema wants text (a version 17 is fine); nothing
    else is converted, because YAML already knows its types. A part that has a problem is left out.
    """
    kind = spec["type"]
    if kind == "dict":
        return _check_dict(value, spec, path)
    if kind == "list":
        return _check_list(value, spec, path)
    return _check_scalar(value, spec, path)


def _check_dict(value: Any, spec: Spec, path: str) -> tuple[Any, list[Problem]]:
    if not isinstance(value, Mapping):
        return None, [_wrong_type(value, "dict", path)]
    options: Spec | None = spec.get("options")
    if options is None:
        return dict(value), []
    known = ", ".join(options)
    problems = [Problem(f"{path}.{key}", f"unknown key; known are {known}") for key in value if key not in options]
    result = {}
    for key, option in options.items():
        if value.get(key) is not None:
            result[key], found = check_shape(value[key], option, f"{path}.{key}")
            problems += found
        elif option.get("required"):
            problems.append(Problem(f"{path}.{key}", "is missing"))
        elif "default" in option:
            result[key] = check_shape(option["default"], option, f"{path}.{key}")[0]
    return result, problems


def _check_list(value: Any, spec: Spec, path: str) -> tuple[Any, list[Problem]]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        return [], [_wrong_type(value, "list", path)]
    problems = []
    if spec.get("required") and not value:
        problems.append(Problem(path, "is empty"))
    element = {**spec, "type": spec["elements"]}
    result = []
    for index, item in enumerate(value):
        checked, found = check_shape(item, element, f"{path}[{index}]")
        result.append(checked)
        problems += found
    return result, problems


def _check_scalar(value: Any, spec: Spec, path: str) -> tuple[Any, list[Problem]]:
    kind = spec["type"]
    if kind == "str" and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    accepted = {"str": str, "int": int, "float": (int, float), "bool": bool}[kind]
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind != "bool"):
        return None, [_wrong_type(value, kind, path)]
    message = _broken_limit(value, spec)
    return value, [Problem(path, message)] if message else []


def _broken_limit(value: Any, spec: Spec) -> str | None:
    if "choices" in spec and value not in spec["choices"]:
        return f"{value!r} is not one of {', '.join(spec['choices'])}"
    if "pattern" in spec and not re.fullmatch(spec["pattern"], value):
        return f"{value!r} is not {spec['hint']}"
    if "minimum" in spec and value < spec["minimum"]:
        return f"{value} is below {spec['minimum']}"
    if "maximum" in spec and value > spec["maximum"]:
        return f"{value} is above {spec['maximum']}"
    return None


def _wrong_type(value: Any, kind: str, path: str) -> Problem:
    return Problem(path, f"must be {_TYPE_NAMES[kind]}, not {type(value).__name__}")
