"""docs/reference/roles.md, from every role's argument specs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from holdfast.docs.reference.markdown import code, page, sentences, table
from holdfast.docs.reference.options import option_table

_ABOUT = """Every role belongs to the collection `holdfast.cluster`; its full name is `holdfast.cluster.<role>`. In the
collection's own playbooks nearly all options come from the resolved site (`holdfast_site`), that is from `holdfast_cluster`,
`holdfast_luns` and `holdfast_packages` ([definitions](definitions.md)); set one only where the default is not what you want.
Each role has a README with a working example in its folder."""


def render_roles(root: Path) -> str:
    """The whole page."""
    roles = {path.parents[1].name: read_specs(path) for path in sorted(root.glob("roles/*/meta/argument_specs.yml"))}
    index = table(
        ("Role", "Entry points", "What it does"),
        [(f"[{name}](#{name})", ", ".join(map(code, specs)), _first(specs)) for name, specs in roles.items()],
    )
    sections = [_section(name, specs) for name, specs in roles.items()]
    return page("Roles", "`roles/*/meta/argument_specs.yml`", _ABOUT, index, *sections)


class _Loader(yaml.SafeLoader):
    """Takes `!unsafe` for what it stands before: Ansible would fill in a template that it finds in a spec."""


def _as_text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("!unsafe", _as_text)


def read_specs(path: Path) -> dict[str, Any]:
    """The entry points of a role."""
    specs: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)["argument_specs"]
    return specs


def _first(specs: dict[str, Any]) -> str:
    return sentences(next(iter(specs.values())).get("short_description"))


def _section(name: str, specs: dict[str, Any]) -> str:
    return "\n\n".join([f"## {name}", *(part for entry, spec in specs.items() for part in _entry(entry, spec))])


def _entry(entry: str, spec: dict[str, Any]) -> Iterator[str]:
    yield f"**Entry point `{entry}`.** {sentences(spec.get('description'))}"
    yield option_table(spec.get("options") or {})
