"""The order of the pages. A page that is not named here still gets its place, at the end of its folder's section."""

from __future__ import annotations

from pathlib import Path

SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Start", "", ("first_hour", "whats_here", "lab")),
    ("Concepts", "concepts", ("cluster_and_package", "one_writer", "takeover", "switchover", "address", "states")),
    ("How to", "howto", (
        "build_a_cluster", "add_a_package", "switch_a_package", "maintain_a_package", "run_drills", "patch_nodes",
        "replace_a_node", "grow_storage", "recover", "remove_a_cluster",
    )),
    ("When something is wrong", "", ("troubleshooting",)),
    ("Background", "", ("ownership", "drills", "erp", "erp_needs", "threat_model", "comparison", "benchmarks")),
    ("Reference", "reference", (
        "playbooks", "command_line", "definitions", "roles", "modules", "plugins", "agent", "event_log", "timers", "runbooks",
    )),
    ("Reference", "", ("runbook_schema",)),
    ("Decisions", "decisions", ("README",)),
)  # fmt: skip
REST = "More"


def arrange(pages: list[str]) -> list[tuple[str, list[str]]]:
    """Captions with their pages, given every page (path without suffix, `index` left out)."""
    left = [page for page in sorted(pages) if page != "index"]
    chapters: dict[str, list[str]] = {}
    for caption, folder, names in SECTIONS:
        wanted = [f"{folder}/{name}" if folder else name for name in names]
        found = [page for page in wanted if page in left]
        found += [page for page in left if folder and page.startswith(f"{folder}/") and page not in found]
        left = [page for page in left if page not in found]
        chapters.setdefault(caption, []).extend(found)
    if left:
        chapters[REST] = left
    return [(caption, names) for caption, names in chapters.items() if names]


def toctrees(folder: Path) -> str:
    """The hidden tables of contents of the first page; kept out of the Markdown, which people also read as it is."""
    pages = [str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.md")]
    blocks = []
    for caption, names in arrange(pages):
        lines = "\n".join(names)
        blocks.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```")
    return "\n\n".join(blocks)
