"""Commands inside an area of the command line, `holdfast AREA VERB`."""

from __future__ import annotations

import argparse
from typing import Any


def add_verb(verbs: Any, name: str, text: str, *more: str) -> argparse.ArgumentParser:
    """A verb whose one line is the same in the area's list and at the head of its own help, where `more` sentences follow."""
    return verbs.add_parser(name, help=text, description=" ".join((f"{text[0].upper()}{text[1:]}.", *more)))  # type: ignore[no-any-return]
