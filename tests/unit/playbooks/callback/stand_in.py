"""Hosts that are not there: every module call of a playbook is written down and answered here, and nothing is connected to.

What a call names is compared with the module's documentation, so that a role cannot use an option that does not exist.
Environment: STAND_IN_LOG (one JSON document a line), STAND_IN_ANSWERS (JSON: what a module answers, for all hosts or by
"module host", in place of what stands below), STAND_IN_BARE (any value: nothing is there yet and everything changes).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring

DOCUMENTATION = """
name: stand_in
type: aggregate
short_description: Answers in place of hosts
description: For tests of playbooks.
"""
ROOT = Path(__file__).parents[4]
BARE = bool(os.environ.get("STAND_IN_BARE"))
ANSWERS = json.loads(os.environ.get("STAND_IN_ANSWERS", "{}"))
PYTHON = {"version": {"major": 3, "minor": 13, "micro": 5}}
DEBIAN = {"distribution": "Debian", "distribution_major_version": "13", "python": PYTHON}
INSTALLED = [
    "e2fsprogs", "iproute2", "iputils-ping", "keepalived", "kmod", "lvm2", "mariadb-server", "multipath-tools",
    "nftables", "open-iscsi", "openssl", "pgbouncer", "postgresql-17", "postgresql-common", "procps", "psmisc",
    "python3", "python3-rtslib-fb", "resource-agents", "xfsprogs",
]  # fmt: skip


def answer(module, args):
    """What a host says: on a built one nothing changes, on a bare one everything does."""
    paths = [item["path"] for item in args.get("files", [])] if BARE else []
    started = [f"start {unit['name']}" for unit in args.get("units", []) if unit.get("active")] if BARE else []
    changed = {"changed": BARE, "actions": [*(f"create {path}" for path in paths), *started]}
    answers = {
        "system_facts": {"ansible_facts": DEBIAN, "packages": {} if BARE else dict.fromkeys(INSTALLED, "1")},
        "setup": {"ansible_facts": DEBIAN},
        "site_packages": {**changed, "packages": dict.fromkeys(args.get("names", []), "1")},
        "site_files": {**changed, "changed_paths": paths},
        "package_agent": {**changed, "changed_paths": paths},
        "package_info": {"packages": {}, "node": None},
        "scsi_reservation_info": {
            "reservations": [{"lun": lun, "error": "", "missing_capabilities": []} for lun in args.get("luns", [])]
        },
        "shared_volume_group": {**changed, "shared_volume": {"waiting": []}},
        "lio_capacity_info": {},
    }
    return {"changed": False, **answers.get(module, changed)}


def check_options(module, args):
    """Options that the module documents, and all that it needs."""
    path = ROOT / "plugins" / "modules" / f"{module}.py"
    if path.exists():
        page = get_docstring(str(path), fragment_loader, collection_name="holdfast.cluster", is_module=True)[0]
        compare(page.get("options") or {}, args, module)


def compare(options, args, where):
    unknown = set(args) - set(options)
    missing = {name for name, option in options.items() if option.get("required") and name not in args}
    if unknown or missing:
        raise ValueError(f"{where} has no {sorted(unknown)} and needs {sorted(missing)}")
    for name, option in options.items():
        given = args.get(name) if option.get("suboptions") else None
        for item in [given] if isinstance(given, dict) else given or []:
            compare(option["suboptions"], item, f"{where}.{name}")


def execute(self, module_name=None, module_args=None, tmp=None, task_vars=None, **_options):
    """In place of ActionBase._execute_module."""
    module = (module_name or self._task.action).rpartition(".")[2]
    args = dict(self._task.args if module_args is None else module_args)
    host = task_vars["inventory_hostname"]
    with Path(os.environ["STAND_IN_LOG"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps([host, module, self._task.get_name(), args], default=str) + "\n")
    if self._connection.transport == "local":  # the controller's own work, such as writing a report
        return EXECUTE(self, module_name, module_args, tmp, task_vars, **_options)
    check_options(module, args)
    return ANSWERS.get(f"{module} {host}") or ANSWERS.get(module) or answer(module, args)


EXECUTE = ActionBase._execute_module
ActionBase._execute_module = execute


class CallbackModule(CallbackBase):
    """Nothing but a reason to be loaded."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stand_in"
