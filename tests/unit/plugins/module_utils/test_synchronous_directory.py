"""The attribute on a real file system where it has one, and a clear message where it has none."""

from __future__ import annotations

import pytest
from ansible_collections.holdfast.cluster.plugins.module_utils import synchronous_directory as sd
from ansible_collections.holdfast.cluster.plugins.module_utils.errors import HoldfastError


@pytest.fixture
def attributes(monkeypatch):
    """Flags by name of file, in place of the file system's."""
    flags: dict[str, int] = {}
    monkeypatch.setattr(sd, "_read_flags", lambda path: flags.get(path.name, 0x80000))
    monkeypatch.setattr(sd, "_write_flags", lambda path, value: flags.update({path.name: value}))
    return flags


def test_directory_and_files_get_the_attribute_and_keep_the_others(tmp_path, attributes):
    directory = tmp_path / "pr"
    assert not sd.is_synchronous(directory)
    sd.make_synchronous(directory)
    assert sd.is_synchronous(directory)
    (directory / "aptpl_1").write_text("PR_REG_START: 0")
    assert not sd.is_synchronous(directory)
    sd.make_synchronous(directory)
    assert sd.is_synchronous(directory)
    assert attributes == {"pr": 0x80008, "aptpl_1": 0x80008}


def test_a_file_system_without_the_attribute_is_named(tmp_path, monkeypatch):
    def refuse(_descriptor, _request, _buffer):
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(sd.fcntl, "ioctl", refuse)
    with pytest.raises(HoldfastError, match="ext4 or XFS"):
        sd.make_synchronous(tmp_path)
