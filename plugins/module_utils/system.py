# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Which system a host runs, from os-release(5)."""

from __future__ import annotations

import shlex

from .errors import ParseError

#: What M(ansible.builtin.setup) calls a distribution, where that is not its ID. A new system adds its line here.
_NAMES = {"debian": "Debian"}


def parse_os_release(text):
    """C(distribution) and C(distribution_major_version); raises L(ParseError) where the file does not tell them."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    try:
        name, version = (shlex.split(values[key])[0] for key in ("ID", "VERSION_ID"))
    except (KeyError, ValueError, IndexError) as error:
        raise ParseError("/etc/os-release does not tell ID and VERSION_ID", output=text[:500]) from error
    return {"distribution": _NAMES.get(name, name), "distribution_major_version": version.split(".")[0]}
