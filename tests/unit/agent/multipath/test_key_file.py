"""Mending of multipathd's key file; the damage is the one that a node reset left in the lab."""

from __future__ import annotations

from pathlib import Path

from holdfast_agent.multipath.key_file import mend_key_file

OURS, FOREIGN = "360014058be82cb0d9755838a9c04aacc", "3600a0b80000000000000000000000001"
HEADER = "# Multipath persistent reservation keys, Version : 1.0\n# prkey wwid\n#\n"
KEY = "0Xdc16a3c101000002"


def test_zero_bytes_go_and_foreign_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "prkeys"
    free = f"#Xdc16a3c101000001 {OURS}\n"
    path.write_text(f"{HEADER}{free}{chr(0) * 40}{KEY} {OURS}\n{KEY} {OURS}\n0x0000000000000abc {FOREIGN}\n")
    assert mend_key_file(frozenset({OURS}), path)
    assert path.read_text() == f"{HEADER}0x0000000000000abc {FOREIGN}\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_sound_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "prkeys"
    path.write_text(f"{HEADER}{KEY} {OURS}\n")
    assert not mend_key_file(frozenset({OURS}), path)
    assert path.read_text() == f"{HEADER}{KEY} {OURS}\n"
    assert not mend_key_file(frozenset(), tmp_path / "none")
