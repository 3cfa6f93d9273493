"""The site: Sphinx with MyST and Furo over docs/, every warning an error, nothing fetched by the reader's browser."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from holdfast.docs.reference.drawings import STYLE_FILE, without_style
from holdfast.docs.reference.pages import stale_files
from holdfast.lab.command import environment
from holdfast.lab.errors import LabError
from holdfast.python_packages import install_requirements

Report = Callable[[str], None]
_SITE = Path(__file__).with_name("site")
_BUILD_SECONDS = 300.0
_IMAGE = re.compile(r'<img [^>]*?src="[^"]*_images/(?P<name>[\w-]+)\.svg"[^>]*?>')
_INLINE_CODE = re.compile(r'(<span class="pre">)([^<]*)(</span>)')
_BREAKS = re.compile(r"[_./](?=\w)")
_ALT = re.compile(r'alt="([^"]*)"')
# What a browser would load by itself; a link that a reader may follow is no load.
_LOADS = re.compile(r'<(?:script|img|iframe|source)\b[^>]*?\bsrc="https?:|<link\b[^>]*?\bhref="https?:[^"]*"[^>]*?>')


def build_site(root: Path, output: Path, report: Report) -> Path:
    """Build the site of `root` into `output`; returns its first page. LabError names what is wrong with the pages."""
    if stale := stale_files(root):
        raise LabError(f"{stale[0].relative_to(root)} is not what the code says; run ./holdfast docs reference first")
    install_tools(root / "requirements-docs.txt", report)
    report("building the pages")
    shutil.rmtree(output, ignore_errors=True)
    doctrees, style = output.with_name(f"{output.name}-doctrees"), output.with_name(f"{output.name}-style")
    write_drawing_style(style)
    argv = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--fresh-env",
            "--doctree-dir", str(doctrees), "--conf-dir", str(_SITE), "-D", f"html_static_path={_SITE / 'style'},{style}",
            str(root / "docs"), str(output)]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_BUILD_SECONDS, env=environment(), check=False)
    if done.returncode != 0:
        raise LabError(f"the pages have faults:\n{done.stderr.strip() or done.stdout.strip()}")
    for path in output.rglob("*.html"):
        finish_page(path, root / "docs" / "drawings")
    return output / "index.html"


def install_tools(requirements: Path, report: Report) -> None:
    """Sphinx and what it needs, pinned, into the Python environment; once."""
    marker, wanted = Path(sys.prefix) / ".holdfast-docs", requirements.read_text(encoding="utf-8")
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return
    report("installing the documentation tools into the Python environment (once)")
    install_requirements(requirements)
    marker.write_text(wanted, encoding="utf-8")


def finish_page(path: Path, drawings: Path) -> None:
    """Put the drawings into the page, and make sure that it loads nothing from elsewhere."""
    text = path.read_text(encoding="utf-8")
    finished = breakable_names(inline_drawings(text, drawings))
    if found := _LOADS.search(finished):
        raise LabError(f"{path.name} loads something from the network: {found[0][:120]}")
    if finished != text:
        path.write_text(finished, encoding="utf-8")


def inline_drawings(page: str, drawings: Path) -> str:
    """An `<img>` of a drawing becomes the drawing itself, so that it takes the page's colours, also the chosen ones."""

    def inline(image: re.Match[str]) -> str:
        alt = _ALT.search(image[0])
        svg = without_style((drawings / f"{image['name']}.svg").read_text(encoding="utf-8"))
        label = html.escape(html.unescape(alt[1]), quote=True) if alt else image["name"]
        opened = svg[svg.index("<svg") :].replace("<svg", f'<svg class="drawing" role="img" aria-label="{label}"', 1)
        return f'<div class="drawing-frame">{opened.strip()}</div>'

    return _IMAGE.sub(inline, page)


def breakable_names(page: str) -> str:
    """Places at which a long name in inline code may be broken: a narrow column then keeps whole words."""
    return _INLINE_CODE.sub(lambda code: code[1] + _BREAKS.sub(r"\g<0><wbr/>", code[2]) + code[3], page)


def write_drawing_style(folder: Path) -> None:
    """The drawings' style for the site, from the one that each drawing carries: dark as the reader chose, not only the system."""
    style = STYLE_FILE.read_text(encoding="utf-8")
    light = re.search(r"svg \{(.*?)\}", style, re.DOTALL)
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{\s*svg \{(.*?)\}\s*\}", style, re.DOTALL)
    if light is None or dark is None:
        raise LabError(f"{STYLE_FILE.name} has lost its light or dark colours")
    rules = style[dark.end() :]
    scoped = re.sub(r"(?m)(^|\} )\s*(\.?[a-z][\w-]*)(?= \{)", r"\1.drawing \2", rules)
    text = (
        "/* Made by holdfast.docs.build from drawing_style.css. */\n"
        ".drawing-frame { overflow-x: auto; margin: 1.2em 0; }\n.drawing { max-width: 100%; min-width: 34em; height: auto; }\n"
        f".drawing {{{light[1]}}}\nbody[data-theme=dark] .drawing {{{dark[1]}}}\n"
        f"@media (prefers-color-scheme: dark) {{ body:not([data-theme=light]) .drawing {{{dark[1]}}} }}\n{scoped}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drawings.css").write_text(text, encoding="utf-8")
