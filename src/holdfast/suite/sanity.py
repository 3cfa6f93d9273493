"""ansible-test sanity for the collection as users get it: `python -m holdfast.suite.sanity`; the last line counts.

The collection is built and unpacked where ansible-test wants it. ansible-test makes one environment per test; they live in
the cache, below a home folder of their own, because ansible-test finds them through HOME.
"""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from holdfast.lab.command import environment, run
from holdfast.lab.paths import cache_directory
from holdfast.suite.stages import ROOT

# There is no PowerShell in the collection; the agent is no plugin and has gates of its own (ruff, mypy, unit tests).
LEFT_OUT = ("--skip-test", "pslint", "--exclude", "agent/")
# ansible-test fetches this script from a host of its own unless it finds it in its cache. Python brings a pip that does.
GET_PIP = """import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-m", "ensurepip"]).returncode)
"""
GET_PIP_NAME = "get_pip_24_2.py"          # the version that ansible-core 2.19 asks for
SECTION = re.compile(r'^Running sanity test "([^"]+)"', re.MULTILINE)
FAILED = re.compile(r"The \d+ sanity test\(s\) listed below \(out of \d+\) failed.*\n((?:^[a-z0-9 _.-]+$\n?)+)", re.MULTILINE)
NOTHING_TO_TEST = "No tests applicable."   # the collection has no file of that kind; ansible-test says so with -v only
NOT_RUN = "WARNING: Skipping sanity test"


def main() -> int:
    home = make_home(cache_directory() / "sanity" / importlib.metadata.version("ansible-core"))
    with tempfile.TemporaryDirectory() as place:
        output, code = call_ansible_test(lay_out(Path(place)), home)
    passed, failed = count(output, code)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed == 0)


def call_ansible_test(collection: Path, home: Path) -> tuple[str, int]:
    """What it said, which is also shown as it comes, and its exit code."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    argv = [str(Path(sys.executable).with_name("ansible-test")), "sanity", "-v", "--color", "no", "--python", version, *LEFT_OUT]
    said = []
    with subprocess.Popen(argv, cwd=collection, env=environment(HOME=str(home)), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            said.append(line)
    return "".join(said), process.returncode


def count(output: str, code: int) -> tuple[int, int]:
    """Sanity tests that passed, and those that failed or were skipped; an end that names no test is one failure.

    A test for which the collection has no file is neither.
    """
    _, *parts = SECTION.split(output)
    said = list(zip(parts[::2], parts[1::2], strict=True))
    ran = {name for name, text in said if NOTHING_TO_TEST not in text}
    listed = FAILED.search(output)
    bad = {line.split()[0] for line in listed[1].splitlines() if line.strip()} if listed else set()
    bad |= {name for name, text in said if NOT_RUN in text}
    return len(ran - bad), max(len(bad), int(code != 0))


def lay_out(place: Path) -> Path:
    """The built collection at ansible_collections/holdfast/cluster."""
    run([str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "build", "--output-path", str(place)], cwd=ROOT,
        timeout_seconds=300)
    collection = place / "ansible_collections" / "holdfast" / "cluster"
    with tarfile.open(next(place.glob("*.tar.gz"))) as archive:
        archive.extractall(collection, filter="data")
    return collection


def make_home(home: Path) -> Path:
    """A home folder in which ansible-test finds the script that brings pip, and this user's settings of pip."""
    script = home / ".ansible" / "test" / "cache" / GET_PIP_NAME
    settings = home / ".config" / "pip" / "pip.conf"
    for file in (script, settings):
        file.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(GET_PIP)
    with settings.open("w") as handle:
        pip_settings(run([sys.executable, "-m", "pip", "config", "list"])).write(handle)
    return home


def pip_settings(listed: str) -> configparser.ConfigParser:
    """What `pip config list` prints, as a file; ansible-test hands no PIP_… variable on, so those are in it too."""
    settings = configparser.ConfigParser(interpolation=None)
    for name, _, value in (line.partition("=") for line in listed.splitlines() if "=" in line):
        section, _, key = name.rpartition(".")
        section = "global" if section == ":env:" else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, key, ast.literal_eval(value))
    return settings


if __name__ == "__main__":
    sys.exit(main())
