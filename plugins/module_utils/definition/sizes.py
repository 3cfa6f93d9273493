# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Sizes as people write them (`64M`, `20 GiB`) to bytes. Units are powers of 1024, as in LVM."""

from __future__ import annotations

import re

from ..errors import HoldfastError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_PATTERN = re.compile(r"^\s*(\d+)\s*([KMGTP]?)(?:i?B)?\s*$", re.IGNORECASE)


def parse_size(text: str | int) -> int:
    """Bytes of a size: `64M`, `64 MiB`, `64mb` and `67108864` are the same. Raises HoldfastError for anything else."""
    match = _PATTERN.match(str(text))
    if not match or int(match[1]) == 0:
        raise HoldfastError(f"{text!r} is not a size such as 64 MiB, 4 GiB or 1 TiB")
    return int(match[1]) * _UNITS[match[2].upper()]
