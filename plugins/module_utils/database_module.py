# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The body of the modules for databases: all databases of a node in one call, on borrowed volumes where needed."""

from __future__ import annotations

from contextlib import ExitStack

from .borrowed_volume import borrow_volume, is_assumed_new, is_borrowable
from .errors import HoldfastError
from .resource import sync
from .resource_group import ResourceGroup


def run_database_module(module, build_database):
    """Build, sync, give the volumes back, and only then exit.

    I(build_database) gets one entry of the module's C(databases), all parameters, and whether this is check mode.
    """
    try:
        with ExitStack() as stack:
            result = sync(_build_group(module, build_database, stack), module.check_mode)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    result["databases"] = result.pop("state")
    module.exit_json(**result)


def _build_group(module, build_database, stack):
    volumes = {volume["package"]: volume for volume in module.params["borrow"]}
    members = {}
    for item in module.params["databases"]:
        database = build_database(item, module.params, module.check_mode)
        volume = volumes.get(item["package"])
        if volume and module.check_mode:
            database.is_assumed_new = is_assumed_new(volume)
        elif volume and is_borrowable(volume):
            stack.enter_context(borrow_volume(volume))
        members[item["data_directory"]] = database
    return ResourceGroup(members)
