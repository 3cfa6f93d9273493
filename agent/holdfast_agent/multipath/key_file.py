"""multipathd's file of reservation keys, mended where a power cut has damaged it.

multipathd changes the file in place and without syncing. After a hard reset it can hold zero bytes, and then it refuses
every key until somebody looks (seen in the lab with 0.11.1): a returning path would stay unregistered.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

PATH = Path("/etc/multipath/prkeys")
# libmultipath/prkey.c: "0x" or, with APTPL, "0X" and 16 digits; "#" in front marks a line that is free.
_LINE = re.compile(r"[0#][xX][0-9a-fA-F]{16} (\S+)")


def mend_key_file(stale_wwids: frozenset[str], path: Path = PATH) -> bool:
    """Rewrite the file without damaged lines and, where there was damage, without the given LUNs' old keys.

    Returns whether that was needed. Lines of LUNs that are not Holdfast's are kept.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return False
    lines = text.splitlines()
    kept = [line for line in lines if _is_comment(line) or _is_foreign(line, stale_wwids)]
    damaged = [line for line in lines if not _is_comment(line) and _LINE.fullmatch(line) is None]
    if not damaged:
        return False
    _replace(path, "".join(f"{line}\n" for line in kept))
    return True


def _is_comment(line: str) -> bool:
    return line.startswith("#") and _LINE.fullmatch(line) is None and line.isprintable()


def _is_foreign(line: str, stale_wwids: frozenset[str]) -> bool:
    match = _LINE.fullmatch(line)
    return match is not None and match[1] not in stale_wwids


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".holdfast")
    with temporary.open("w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
