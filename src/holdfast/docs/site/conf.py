"""Settings of Sphinx; called by holdfast.docs.build, not by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from holdfast.docs.site.navigation import toctrees

project = "Holdfast"
author = "Holdfast contributors"
project_copyright = author
html_title = "Holdfast"
extensions = ["myst_parser"]
# Headings are link targets, as they are where the Markdown is read as it is.
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]
templates_path: list[str] = []
html_theme = "furo"
# html_static_path is given by the caller, because one of the styles is made at build time.
html_css_files = ["site.css", "drawings.css"]
html_show_sphinx = False
html_copy_source = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
# Formats that a Linux or Ansible page shows and Pygments has no lexer of ours for.
highlight_language = "text"
suppress_warnings = ["misc.highlighting_failure"]


def setup(app: Any) -> None:
    """Append the tables of contents to the first page when it is read."""

    def read(_app: Any, name: str, source: list[str]) -> None:
        if name == "index":
            source[0] += "\n\n" + toctrees(Path(os.fspath(app.srcdir)))

    app.connect("source-read", read)
