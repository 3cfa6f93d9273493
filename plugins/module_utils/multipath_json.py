# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads what C(multipathd show maps json) prints (libmultipath/print.c). Pure: text in, values out."""

from __future__ import annotations

import json

from .errors import ParseError

# PRINT_JSON_MAJOR_VERSION: another number means another layout, which this parser does not know.
KNOWN_MAJOR_VERSION = 0


def parse_multipathd_maps(text):
    """Alias -> wwid, dm, paths_up and paths of every map.

    Raises L(ParseError) for anything that is not a list of maps: an error message of the daemon is not "no maps".
    """
    try:
        document = json.loads(text)
        version = document["major_version"]
        if version != KNOWN_MAJOR_VERSION:
            raise ParseError(f"multipathd speaks version {version} of its JSON; this module knows {KNOWN_MAJOR_VERSION}")
        return {row["name"]: _parse_map(row) for row in document["maps"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError(f"multipathd did not answer with a list of maps: {error!r}", answer=text[:500]) from error


def _parse_map(row):
    paths = [_parse_path(path) for group in row["path_groups"] for path in group["paths"]]
    return {
        "wwid": row["uuid"],
        "dm": row["sysfs"],
        "state": row["dm_st"],
        "queueing": row["queueing"],
        "features": row["features"],
        "path_faults": row["path_faults"],
        "paths_up": sum(path["usable"] for path in paths),
        "paths": paths,
    }


def _parse_path(path):
    return {
        "device": path["dev"],
        "dm_state": path["dm_st"],
        "device_state": path["dev_st"],
        "checker_state": path["chk_st"],
        "host": path["host_wwnn"] if path["host_wwnn"] != "[undef]" else path["host_adapter"],
        "target": path["target_wwnn"],
        "usable": path["dm_st"] == "active" and path["chk_st"] == "ready",
    }
