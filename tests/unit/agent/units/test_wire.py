"""The D-Bus wire format, against bytes worked out from the specification."""

from __future__ import annotations

import pytest
from holdfast_agent.units.wire import Reader, Writer, split_signature


def test_signatures_are_cut_into_complete_types() -> None:
    assert split_signature("sa(sv)a{s(ii)}uv") == ["s", "a(sv)", "a{s(ii)}", "u", "v"]


@pytest.mark.parametrize(
    ("signature", "value", "data"),
    [
        ("s", "foo", b"\3\0\0\0foo\0"),
        ("g", "as", b"\2as\0"),
        ("au", [1, 2], b"\x08\0\0\0\1\0\0\0\2\0\0\0"),
        ("v", ("u", 5), b"\1u\0\0\5\0\0\0"),
        ("at", [], b"\0\0\0\0\0\0\0\0"),
    ],
)
def test_known_encodings(signature: str, value: object, data: bytes) -> None:
    writer = Writer()
    writer.write(signature, value)
    assert bytes(writer.data) == data


@pytest.mark.parametrize(
    ("signature", "values", "back"),
    [
        ("yqu", (1, 2, 3), [1, 2, 3]),
        ("sa(sv)", ("x", [("PIDs", ("au", [7])), ("Slice", ("s", "a.slice"))]), ["x", [["PIDs", [7]], ["Slice", "a.slice"]]]),
        ("b(st)", (True, ("z", 2**40)), [True, ["z", 2**40]]),
        ("aas", ([["a"], [], ["b", "c"]],), [[["a"], [], ["b", "c"]]]),
    ],
)
def test_round_trips(signature: str, values: tuple[object, ...], back: list[object]) -> None:
    writer = Writer()
    writer.write_all(signature, values)
    assert Reader(bytes(writer.data)).read_all(signature) == back
