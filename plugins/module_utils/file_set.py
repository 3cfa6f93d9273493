# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""A set of small files and directories that belong together, brought to their wanted state in one go."""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import stat
import tempfile
from pathlib import Path

from .command import run
from .errors import HoldfastError
from .resource import Action, Resource

#: As M(ansible.builtin.blockinfile) writes them with I(marker=# {mark} holdfast).
_BLOCK_BEGIN, _BLOCK_END = "# BEGIN holdfast", "# END holdfast"


def read_entry(path):
    """What is at I(path): C(None) where nothing is; content only of a regular file."""
    path = Path(path)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    entry = {
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": _name_of(pwd.getpwuid, found.st_uid),
        "group": _name_of(grp.getgrgid, found.st_gid),
    }
    if stat.S_ISDIR(found.st_mode):
        return {**entry, "kind": "directory"}
    if not stat.S_ISREG(found.st_mode):
        return {**entry, "kind": "other"}
    return {**entry, "kind": "file", "content": path.read_text(encoding="utf-8", errors="surrogateescape")}


def _name_of(lookup, number):
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


class FileSet(Resource):
    """Wanted entries by path; C(None) means that nothing may be there. I(secret_paths) never show their content.

    I(checks) has, by path, the command that must accept a new content; V(%s) stands for the file that holds it.
    I(note) is a file that keeps the paths of changes which somebody still has to act upon; it is written before the change.
    """

    def __init__(self, wanted, secret_paths=(), checks=None, note=None):
        self.wanted = wanted
        self.checks = checks or {}
        self.secret_paths = frozenset(secret_paths)
        self.note = note

    def read(self):
        """What is at every path of the set."""
        return {path: read_entry(path) for path in self.wanted}

    def plan(self, before):
        """Parents before children when making, and children before parents when removing."""
        actions = []
        for path in sorted(self.wanted):
            wanted, present = self.wanted[path], before[path]
            if wanted is None or wanted == present:
                continue
            if present is not None and present["kind"] != wanted["kind"]:
                raise HoldfastError(f"{path} is there and is not a {wanted['kind']}; move it away first", path=path)
            actions.append(Action("create" if present is None else "update", path))
        gone = [path for path, wanted in self.wanted.items() if wanted is None and before[path] is not None]
        return actions + [Action("remove", path) for path in sorted(gone, reverse=True)]

    def apply(self, action):
        """Carry out one action; a file appears whole or not at all."""
        if self.note:
            add_to_note(self.note, action.subject)
        if action.verb == "remove":
            _remove(action.subject)
        elif self.wanted[action.subject]["kind"] == "directory":
            _make_directory(action.subject, self.wanted[action.subject])
        else:
            replace_file(action.subject, self.wanted[action.subject], self.checks.get(action.subject))

    def expect(self, before):
        """Every path as wanted."""
        return dict(self.wanted)

    def public(self, state):
        """The state without the content of secret files."""
        return {path: _hide(entry) if path in self.secret_paths else entry for path, entry in state.items()}


def put_block(text, block):
    """I(text) with I(block) between our marks, in the place of the block that is there, else at the end."""
    lines = text.splitlines()
    wanted = [_BLOCK_BEGIN, *block.splitlines(), _BLOCK_END]
    if _BLOCK_BEGIN in lines and _BLOCK_END in lines:
        lines[lines.index(_BLOCK_BEGIN) : lines.index(_BLOCK_END) + 1] = wanted
    else:
        lines += wanted
    return "\n".join(lines) + "\n"


def read_note(path):
    """The paths of a note; none where there is no note."""
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def add_to_note(path, line):
    """Put one line into a note, on disk when this returns; a line that is there already is not repeated."""
    lines = read_note(path)
    if line in lines:
        return
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write("\n".join([*lines, line]) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _hide(entry):
    if entry is None or "content" not in entry:
        return entry
    return {**entry, "content": "(secret)"}


def _ids(entry):
    try:
        return pwd.getpwnam(entry["owner"]).pw_uid, grp.getgrnam(entry["group"]).gr_gid
    except KeyError as error:
        raise HoldfastError(f"{entry['owner']}:{entry['group']} is not a user and group of this node") from error


def _make_directory(path, entry):
    Path(path).mkdir(parents=True, exist_ok=True)
    os.chown(path, *_ids(entry))
    Path(path).chmod(int(entry["mode"], 8))


def replace_file(path, entry, check=None):
    """Write a file beside I(path), make it durable, and rename it into place (rename(2) is atomic).

    Raises CommandError where the command I(check) does not accept it; what was there stays then.
    """
    owner = _ids(entry)
    handle, temporary = tempfile.mkstemp(dir=Path(path).parent, prefix=".holdfast-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(entry["content"])
            stream.flush()
            os.fchown(stream.fileno(), *owner)
            os.fchmod(stream.fileno(), int(entry["mode"], 8))
            os.fsync(stream.fileno())
        if check:
            run([temporary if word == "%s" else word for word in check])
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def sync_filesystem(path):
    """Write back the file system of I(path) and no other one: a package's may be busy, and is not ours to flush."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            raise HoldfastError(f"{path} cannot be written back: {os.strerror(ctypes.get_errno())}", path=str(path))
    finally:
        os.close(handle)


def _remove(path):
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        try:
            path.rmdir()
        except OSError as error:
            raise HoldfastError(f"{path} is not removed: {error.strerror}", path=str(path)) from error
    else:
        path.unlink()
