"""Drawings carry one common style, so that each looks right on its own, in light and in dark.

Inside the built site the style is left out, and the page's own colours apply (site/drawings.css, site/inline_svg.py).
"""

from __future__ import annotations

import re
from pathlib import Path

STYLE_FILE = Path(__file__).parents[1] / "site" / "drawing_style.css"
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def restyle(svg: str) -> str:
    """The drawing with the common style of today."""
    style = STYLE_FILE.read_text(encoding="utf-8").strip()
    return _STYLE.sub(lambda _: f"<style>\n{style}\n</style>", svg, count=1)


def without_style(svg: str) -> str:
    """The drawing for a page that brings the style itself."""
    return _STYLE.sub("", svg, count=1)
