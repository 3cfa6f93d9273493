# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The body of the modules for databases: all databases of a node in one call, on borrowed volumes where needed."""

from __future__ import annotations

from contextlib import ExitStack

from .borrowed_volume import BORROW_OPTION, borrow_volume, is_assumed_new, is_borrowable
from .errors import HoldfastError
from .resource import sync
from .resource_group import ResourceGroup

_DATABASE = {
    "package": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "data_directory": {"type": "path", "required": True},
    "mount_point": {"type": "path", "required": True},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "client_networks": {"type": "list", "elements": "str", "default": []},
}
_ACCOUNT = {
    "package": {"type": "str", "required": True},
    "role": {"type": "str", "required": True},
    "database": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
}
#: What all of them take; documented in doc_fragments/databases.py.
DATABASE_OPTIONS = {
    "databases": {"type": "list", "elements": "dict", "required": True, "options": _DATABASE},
    "settings": {"type": "dict", "default": {}},
    "borrow": BORROW_OPTION,
    "accounts": {"type": "list", "elements": "dict", "default": [], "options": _ACCOUNT},
}


def run_database_module(module, build_database):
    """Build, sync, give the volumes back, and only then exit.

    I(build_database) gets one entry of the module's C(databases) with its settings and accounts, all parameters, and whether
    this is check mode.
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
        database = build_database(_complete(item, module.params), module.params, module.check_mode)
        volume = volumes.get(item["package"])
        if volume and module.check_mode:
            database.is_assumed_new = is_assumed_new(volume)
        elif volume and is_borrowable(volume):
            stack.enter_context(borrow_volume(volume))
        members[item["data_directory"]] = database
    return ResourceGroup(members)


def _complete(item, params):
    """A database with its settings and its accounts, which the parameters give for all."""
    accounts = [account for account in params["accounts"] if account["package"] == item["package"]]
    return {**item, "settings": {**params["settings"], "port": item["port"]}, "accounts": accounts}
