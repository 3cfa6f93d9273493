"""Find the image of a system, or build it; what is built is complete or not there at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from holdfast.lab.command import environment, run
from holdfast.lab.errors import LabError
from holdfast.lab.namespaces import isolated
from holdfast.lab.paths import cache_directory
from holdfast.lab.wait import wait_for

Report = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """All that decides what an image contains, except the versions that the archive offers on the day."""

    system: str
    release: str
    backend: str
    base: tuple[str, ...]
    pool: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Changes with the recipe and with the code and guest files that carry it out."""
        digest = hashlib.sha256(repr(self).encode())
        here = Path(__file__).parent
        for path in sorted([here / "build.py", *(here.parent / "guest").iterdir()]):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def name(self) -> str:
        return f"{self.system}-{self.backend}-{self.digest}"


@dataclass(frozen=True)
class Image:
    """A complete image folder: disk.img (root file system), pool.img (packages), kernel files, manifest.json."""

    directory: Path

    @property
    def disk(self) -> Path:
        return self.directory / "disk.img"

    @property
    def pool(self) -> Path:
        return self.directory / "pool.img"

    @property
    def runtime(self) -> Path:
        """What the kernel process needs to run: UML's binary with its C library, or QEMU's kernel and initrd."""
        return self.directory / "runtime"

    @property
    def manifest(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.directory / "manifest.json").read_text())
        return data


def read_recipe(system: str, release: str, backend: str, packages: tuple[str, ...] = ()) -> Recipe:
    """The recipe of a system; `packages` join its pool."""
    data = yaml.safe_load((Path(__file__).parent / "packages.yml").read_text())
    lists = {key: tuple(data["common"][key] + data[system][key]) for key in ("base", "pool")}
    wanted = tuple(name for name in packages if name not in lists["pool"])
    return Recipe(system, release, backend, lists["base"], lists["pool"] + wanted)


def images_directory() -> Path:
    return cache_directory() / "images"


def find_image(recipe: Recipe) -> Image | None:
    image = Image(images_directory() / recipe.name)
    return image if (image.directory / "manifest.json").exists() else None


@contextmanager
def _build_lock(waiting: Report) -> Iterator[int]:
    """One build at a time; yields the lock for the build's own processes to hold as well."""
    images_directory().mkdir(parents=True, exist_ok=True)
    with (images_directory() / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting("another build is under way; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def ensure_image(recipe: Recipe, report: Report) -> Image:
    """The image of `recipe`, built first where it is missing. `report` is told each step of a build."""
    if image := find_image(recipe):
        return image
    with _build_lock(report) as lock:
        if image := find_image(recipe):
            return image
        remove_half_built()
        return _build(recipe, report, lock)


def remove_half_built() -> None:
    """What an interrupted build left. Its files may belong to subordinate ids, hence the namespace."""
    leftovers = [str(path) for path in images_directory().glob("*.building")]
    if not leftovers:
        return
    command = isolated(["rm", "-rf", "--", *leftovers], network=False)
    # More than one try: processes of the build that are just dying may still make a file or two.
    wait_for("what an interrupted build left is removed", lambda: run(command, timeout_seconds=120) or True,
             timeout_seconds=5)


def _build(recipe: Recipe, report: Report, lock: int) -> Image:
    target = images_directory() / recipe.name
    building = target.with_suffix(".building")
    building.mkdir()
    log = images_directory() / f"{recipe.name}.log"
    log.write_text("")
    spec = json.dumps({"system": recipe.system, "release": recipe.release, "backend": recipe.backend,
                       "base": recipe.base, "pool": recipe.pool, "directory": str(building), "log": str(log),
                       "archives": str(cache_directory() / "archive")})
    argv = [sys.executable, "-m", "holdfast.lab.image.attended", spec]
    # Leaving this block closes the child's standard input, which ends a build that is not finished, and waits for it.
    # The child holds the lock as well, until it has cleaned up.
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True, pass_fds=(lock,),
                          env=environment(PYTHONPATH=str(Path(__file__).parents[3]))) as child:
        last = _follow(child.stdout, report)
    if child.returncode != 0:
        raise LabError(f"building the image {recipe.name} failed: {last} (everything it did: {log})")
    building.rename(target)
    return Image(target)


def _follow(stream: IO[str] | None, report: Report) -> str:
    last = "no message"
    for line in stream or ():
        line = line.rstrip()
        if line.startswith("step: "):
            report(line.removeprefix("step: "))
        elif line:
            last = line
    return last
