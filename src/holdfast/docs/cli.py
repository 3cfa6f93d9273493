"""`holdfast docs …`: write or check the reference pages, build the site."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from holdfast.docs.build import build_site
from holdfast.docs.reference.pages import stale_files, write_files
from holdfast.lab.errors import LabError
from holdfast.progress import Progress
from holdfast.verbs import add_verb

ROOT = Path(__file__).resolve().parents[3]


def add_arguments(areas: Any) -> None:
    """Adds `docs` to the command line's areas."""
    docs = add_verb(areas, "docs", "reference pages and the documentation as a site")
    verbs = docs.add_subparsers(dest="verb", required=True, metavar="VERB")
    reference = add_verb(verbs, "reference", "write the reference pages from the code")
    reference.add_argument("--check", action="store_true", help="write nothing; fail where a page says other than the code")
    reference.set_defaults(run=run_reference)
    build = add_verb(verbs, "build", "build the site from docs/, offline and strictly")
    build.add_argument("--output", type=Path, default=ROOT / "build" / "site", metavar="FOLDER",
                       help="folder of the site (default: build/site in the checkout)")
    build.set_defaults(run=run_build)


def run_reference(arguments: argparse.Namespace) -> int:
    if not arguments.check:
        for path in write_files(ROOT):
            print(f"written: {path.relative_to(ROOT)}")
        return 0
    stale = stale_files(ROOT)
    if stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        raise LabError(f"not what the code says: {names}. Run ./holdfast docs reference and commit what it writes")
    return 0


def run_build(arguments: argparse.Namespace) -> int:
    with Progress("docs") as report:
        index = build_site(ROOT, arguments.output.resolve(), report)
    print(index)
    return 0
