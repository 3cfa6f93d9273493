"""The lab: first build, up, down, memory, and how boot time grows with the number of nodes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from holdfast.bench.bare_node import bare_topology
from holdfast.bench.figure import Figure, Floor
from holdfast.lab import Lab
from holdfast.lab.command import run
from holdfast.lab.image.archive import archive_address
from holdfast.lab.image.store import Image, Recipe, ensure_image, read_recipe
from holdfast.lab.keys import make_keys
from holdfast.lab.namespaces import isolated
from holdfast.lab.topology import Topology, load_topology

PURPOSE = "first build, up, down, memory per node, boot time by number of nodes"
NAME = "bench-lab"
SETTLE_SECONDS = 10           # after the last unit of the boot has ended; memory is read then
SOURCE = Path(__file__).parents[1] / "src"
Report = Callable[[str], None]


@dataclass(frozen=True)
class Bare:
    """One kernel process alone: the floor of up, down and memory."""

    up_seconds: float
    memory_mib: float
    end_seconds: float


def measure(report: Report, quick: bool) -> list[Figure]:
    topology = load_topology("default")
    recipe = read_recipe(topology.system, topology.release, "uml")
    figures = [] if quick else [first_build(recipe, report)]
    image = ensure_image(recipe, report)
    samples = 1 if quick else 3
    bare = measure_bare(image, samples, report)
    figures += four_nodes(topology, bare, samples, report)
    figures += [boot_of(topology, count, bare, report) for count in (() if quick else (2, 4, 8))]
    return figures


def first_build(recipe: Recipe, report: Report) -> Figure:
    """The build first: whatever stands between this machine and the archive has the packages then, for the floor too."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench.") as directory, setting("HOLDFAST_CACHE", directory):
        took = seconds(lambda: ensure_image(recipe, lambda text: report(f"first build: {text}")))
        report("mmdebstrap of the same packages alone")
        floor = seconds(lambda: run(isolated(bootstrap(recipe, directory), network=False), timeout_seconds=1200,
                                    TMPDIR=directory))
        run(isolated(["rm", "-rf", f"{directory}/bare", f"{directory}/images", f"{directory}/archive"], network=False))
    return Figure("first build", "s", (took,), Floor("mmdebstrap of the image's packages alone", floor), aim=240)


def bootstrap(recipe: Recipe, directory: str) -> list[str]:
    mirror = archive_address()
    return ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(recipe.base)}", "--format=directory",
            '--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"', recipe.release,
            f"{directory}/bare", f"deb {mirror} {recipe.release} main", f"deb {mirror} {recipe.release}-updates main"]


def measure_bare(image: Image, samples: int, report: Report) -> Bare:
    found = []
    for i in range(samples):
        report(f"floor: one bare node ({i + 1} of {samples})")
        with tempfile.TemporaryDirectory(prefix="holdfast-bench.") as directory:
            make_keys(Path(directory) / "keys", bare_topology())
            argv = isolated([sys.executable, "-m", "holdfast.bench.bare_node", str(image.directory), directory], network=True)
            found.append(json.loads(run(argv, timeout_seconds=180, PYTHONPATH=str(SOURCE))))
    return Bare(*(median(sample[key] for sample in found) for key in ("up_seconds", "memory_mib", "end_seconds")))


def four_nodes(topology: Topology, bare: Bare, samples: int, report: Report) -> list[Figure]:
    """The default topology through the command line, as a person waits for it."""
    up, again, down = [], [], []
    lab = Lab(NAME)
    try:
        for i in range(samples):
            report(f"four nodes up and down ({i + 1} of {samples})")
            holdfast("down", "--delete")
            up.append(seconds(lambda: holdfast("up")))
            down.append(seconds(lambda: holdfast("down")))
            again.append(seconds(lambda: holdfast("up")))
        report("four nodes at rest")
        for node in lab.nodes:
            node.execute(["systemctl", "is-system-running", "--wait"], timeout_seconds=120)
        time.sleep(SETTLE_SECONDS)
        memory = tuple(state["memory_mib"] for state in lab.status().values())
        down.append(seconds(lambda: holdfast("down")))
    finally:
        lab.down(delete=True)
    floor = Floor("one bare node to its SSH greeting", bare.up_seconds)
    return [Figure("up, four nodes, new disks", "s", tuple(up), floor, aim=20),
            Figure("up, four nodes, their old disks", "s", tuple(again), floor, aim=20),
            Figure("down, four nodes", "s", tuple(down), Floor("SIGKILL and wait for one bare node", bare.end_seconds), aim=3),
            Figure("memory of a node at rest", "MiB", memory, Floor("one bare node at its SSH greeting", bare.memory_mib))]


def boot_of(topology: Topology, count: int, bare: Bare, report: Report) -> Figure:
    """Boot of `count` cluster nodes with the array and the client, all at once, to SSH on all."""
    report(f"{count} cluster nodes, the array and the client")
    lab = Lab(NAME)
    try:
        took = seconds(lambda: lab.up(topology.with_cluster_nodes(count), fresh=True))
    finally:
        lab.down(delete=True)
    return Figure(f"boot, {count} cluster nodes + 2", "s", (took,), Floor("one bare node to its SSH greeting", bare.up_seconds))


def holdfast(*words: str) -> None:
    run([sys.executable, "-m", "holdfast", "lab", *words, "--name", NAME], timeout_seconds=600)


def seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


@contextmanager
def setting(name: str, value: str) -> Iterator[None]:
    """An environment variable for the time of the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
