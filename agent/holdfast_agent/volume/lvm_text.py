"""Parser of LVM2's metadata text (lvm.conf syntax: sections, assignments, strings, numbers, lists, comments)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..errors import VolumeError

_TOKEN = re.compile(r'\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|([{}\[\]=,])|([^\s{}\[\]=,"#]+)')
Section = dict[str, Any]


def parse_lvm_text(text: str) -> Section:
    """Nested dictionaries of a metadata text; raises VolumeError where it is not well-formed."""
    tokens = _Tokens(text)
    return _parse_section(tokens, closing=None)


class _Tokens:
    """Stream of (kind, text): kind is "string", "sign" or "word"; one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self._stream = _tokenize(text)
        self.current = next(self._stream, None)

    def take(self) -> tuple[str, str]:
        if self.current is None:
            raise VolumeError("LVM metadata ends in the middle of a section")
        token, self.current = self.current, next(self._stream, None)
        return token

    def take_sign(self, sign: str) -> None:
        token = self.take()
        if token != ("sign", sign):
            raise VolumeError(f"LVM metadata: {sign!r} expected, {token[1]!r} found")


def _tokenize(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise VolumeError(f"LVM metadata: unreadable text at byte {position}")
        position = match.end()
        for kind, group in (("string", 1), ("sign", 2), ("word", 3)):
            if match.group(group) is not None:
                yield kind, match.group(group)


def _parse_section(tokens: _Tokens, closing: str | None) -> Section:
    section: Section = {}
    while tokens.current is not None and tokens.current != ("sign", closing):
        _, name = tokens.take()
        if tokens.current == ("sign", "{"):
            tokens.take()
            section[name] = _parse_section(tokens, closing="}")
            tokens.take_sign("}")
        else:
            tokens.take_sign("=")
            section[name] = _parse_value(tokens)
    return section


def _parse_value(tokens: _Tokens) -> Any:
    kind, text = tokens.take()
    if (kind, text) == ("sign", "["):
        return _parse_list(tokens)
    if kind == "string":
        return text.replace('\\"', '"').replace("\\\\", "\\")
    if kind == "word":
        return float(text) if "." in text else int(text)
    raise VolumeError(f"LVM metadata: value expected, {text!r} found")


def _parse_list(tokens: _Tokens) -> list[Any]:
    values = []
    while tokens.current != ("sign", "]"):
        values.append(_parse_value(tokens))
        if tokens.current == ("sign", ","):
            tokens.take()
    tokens.take_sign("]")
    return values
