"""docs/reference/modules.md and plugins.md, from the documentation inside the plugins.

The plugins are parsed and never imported: what a controller tool needs from them is their words.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from holdfast.docs.reference.markdown import code, fence, from_ansible, page, sentences, table
from holdfast.docs.reference.options import option_table, return_table

_ABOUT = """Full names are `holdfast.cluster.<module>`. Every writing module supports check mode and `--diff` and tells in
`actions` what it did or would do; its `_info` sister reads the same shape. A refusal is an error with the reason; a bug keeps
its traceback. Operators need [package](#package) and [package_info](#package_info); the others are what the roles are made
of."""
_OWN_FRAGMENT = "holdfast.cluster."
_OTHER_ABOUT = "What the collection brings beside modules. Filters serve its own roles and playbooks and may change."


def render_modules(root: Path) -> str:
    """The page of the modules."""
    modules = {path.stem: read_documentation(path) for path in sorted(root.glob("plugins/modules/*.py"))}
    index = table(
        ("Module", "What it does"),
        [(f"[{name}](#{name})", sentences(docs["DOCUMENTATION"].get("short_description"))) for name, docs in modules.items()],
    )
    sections = ["\n\n".join(_section(name, docs)) for name, docs in modules.items()]
    return page("Modules", "the documentation inside `plugins/modules`", _ABOUT, index, *sections)


def read_documentation(path: Path) -> dict[str, Any]:
    """DOCUMENTATION with the collection's own fragments and RETURN as data, EXAMPLES as text, of a plugin's source."""
    texts = _read_texts(ast.parse(path.read_text(encoding="utf-8")))
    found: dict[str, Any] = {"EXAMPLES": texts.get("EXAMPLES", "")}
    found |= {name: yaml.safe_load(texts.get(name, "")) or {} for name in ("DOCUMENTATION", "RETURN")}
    for fragment in found["DOCUMENTATION"].get("extends_documentation_fragment", ()):
        if fragment.startswith(_OWN_FRAGMENT):
            _add_options(found["DOCUMENTATION"], _read_fragment(path.parents[1], fragment))
    return found


def _read_texts(place: ast.Module | ast.ClassDef) -> dict[str, str]:
    """Texts that a module or a class gives names in capitals."""
    return {node.targets[0].id: str(node.value.value) for node in place.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper()
            and isinstance(node.value, ast.Constant)}  # fmt: skip


def _read_fragment(plugins: Path, name: str) -> dict[str, Any]:
    """The options of a fragment of the collection: `holdfast.cluster.<file>`, or `holdfast.cluster.<file>.<text>`."""
    file, _, text = name.removeprefix(_OWN_FRAGMENT).partition(".")
    parsed = ast.parse((plugins / "doc_fragments" / f"{file}.py").read_text(encoding="utf-8"))
    fragment = next(node for node in parsed.body if isinstance(node, ast.ClassDef))
    options: dict[str, Any] = yaml.safe_load(_read_texts(fragment)[text.upper() or "DOCUMENTATION"])["options"]
    return options


def _add_options(described: dict[str, Any], shared: dict[str, Any]) -> None:
    """As Ansible does (ansible.utils.plugin_docs.merge_fragment): what the plugin itself says of an option counts."""
    own = described.get("options") or {}
    merged = {name: {**shared.get(name, {}), **option} for name, option in own.items()}
    described["options"] = {**merged, **{name: option for name, option in shared.items() if name not in own}}


def _section(name: str, docs: dict[str, Any]) -> Iterator[str]:
    described = docs["DOCUMENTATION"]
    yield f"## {name}"
    yield f"{from_ansible(described['short_description'])}. {sentences(described.get('description'))}"
    yield option_table(described.get("options") or {})
    if docs.get("EXAMPLES"):
        yield fence(docs["EXAMPLES"], "yaml")
    if docs.get("RETURN"):
        yield "Returns:"
        yield return_table(docs["RETURN"])


def render_plugins(root: Path) -> str:
    """The page of inventory, callback, action and filter plugins."""
    parts = [_OTHER_ABOUT]
    for kind in ("inventory", "callback"):
        for path in sorted(root.glob(f"plugins/{kind}/*.py")):
            docs = read_documentation(path)["DOCUMENTATION"]
            parts += [f"## {path.stem} ({kind})", f"{from_ansible(docs['short_description'])}. {sentences(docs['description'])}"]
            parts += [option_table(docs["options"])] if docs.get("options") else []
    for kind, words in (("action", "Runs on the controller in front of the module of the same name."), ("filter", "")):
        rows = [(code(path.stem), _first_line(path)) for path in sorted(root.glob(f"plugins/{kind}/*.py"))]
        parts += [f"## {kind.capitalize()} plugins", words, table(("File", "What it does"), rows)]
    return page("Other plugins", "the sources in `plugins`", *parts)


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return from_ansible(docstring.splitlines()[0]) if docstring else ""
