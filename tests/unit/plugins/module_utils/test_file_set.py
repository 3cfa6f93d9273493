"""Sets of files: made, changed, removed, validated, and never half written."""

from __future__ import annotations

import grp
import os
import pwd

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import CommandError, HoldfastError
from ansible_collections.holdfast.cluster.plugins.module_utils.file_set import FileSet, read_note
from ansible_collections.holdfast.cluster.plugins.module_utils.resource import sync

OWNER = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


def file(content: str, mode: str = "0600") -> dict:
    return {"kind": "file", "content": content, "mode": mode, **OWNER}


def test_four_steps(tmp_path):
    wanted = {
        str(tmp_path / "d"): {"kind": "directory", "mode": "0700", **OWNER},
        str(tmp_path / "d" / "f"): file("one\n"),
    }
    assert sync(FileSet(wanted), check_mode=True)["changed"]
    assert not (tmp_path / "d").exists()
    assert sync(FileSet(wanted))["actions"] == [f"create {tmp_path}/d", f"create {tmp_path}/d/f"]
    assert not sync(FileSet(wanted))["changed"]
    assert (tmp_path / "d" / "f").read_text() == "one\n"


def test_mode_alone_is_a_change(tmp_path):
    path = tmp_path / "f"
    sync(FileSet({str(path): file("x")}))
    assert sync(FileSet({str(path): file("x", "0644")}))["changed"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_refused_content_leaves_the_old_one(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(CommandError):
        sync(FileSet({str(path): file("new")}, checks={str(path): ["grep", "-q", "old", "%s"]}))
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_children_go_before_their_directory(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").touch()
    sync(FileSet({str(tmp_path / "d"): None, str(tmp_path / "d" / "f"): None}))
    assert list(tmp_path.iterdir()) == []


def test_directory_with_other_peoples_files_stays(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "theirs").touch()
    with pytest.raises(HoldfastError, match="is not removed"):
        sync(FileSet({str(tmp_path / "d"): None}))


def test_something_else_in_the_place_is_refused(tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(HoldfastError, match="is not a file"):
        sync(FileSet({str(tmp_path / "f"): file("x")}))


def test_secret_never_shows(tmp_path):
    path = str(tmp_path / "key")
    result = sync(FileSet({path: file("s3cret")}, secret_paths=[path]))
    assert "s3cret" not in str(result)


def test_a_note_outlives_the_run_that_made_the_change(tmp_path):
    note, path = tmp_path / "notes" / "n", tmp_path / "f"
    sync(FileSet({str(path): file("one")}, note=str(note)))
    sync(FileSet({str(path): file("one")}, note=str(note)))
    assert read_note(note) == [str(path)]
    sync(FileSet({str(path): file("two")}, note=str(note)))
    assert read_note(note) == [str(path)]


def test_the_note_is_there_before_the_change(tmp_path):
    note = tmp_path / "n"
    with pytest.raises(CommandError):
        sync(FileSet({str(tmp_path / "f"): file("x")}, checks={str(tmp_path / "f"): ["false"]}, note=str(note)))
    assert read_note(note) == [str(tmp_path / "f")]
