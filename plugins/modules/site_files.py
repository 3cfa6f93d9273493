#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Bring a set of small files, and the units that read them, to their wanted state with one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_files
short_description: Make, change and remove a set of small files, and see to the units that read them
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Every file is written beside its place and renamed into it, so that no reader ever sees half of one.
  - One call replaces a task for each file; a node pays for one Python process.
  - O(units) come after the files, with the reload or restart that a change asks for.
  - With O(note) a change that a run makes and does not live to act upon is told to the next run.
extends_documentation_fragment:
  - holdfast.cluster.attributes
options:
  directories:
    description: Directories that must exist.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      mode:
        description: Permissions, four octal digits.
        type: str
        default: "0755"
      owner:
        description: User.
        type: str
        default: root
      group:
        description: Group.
        type: str
        default: root
  files:
    description: Files that must exist with exactly this content. Their directories must exist or be in O(directories).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: The content; may be shown in a diff.
        type: str
      secret_content:
        description: The content where it must never be shown.
        type: str
      block:
        description: Lines between two marks in a file that has others as well, which stay. In place of a content.
        type: str
      validate:
        description:
          - Command that must accept the new content before it replaces the old; V(%s) stands for a file that holds it.
          - Not run in check mode, where the command may not be installed yet.
        type: list
        elements: str
        default: []
      mode:
        description: Permissions, four octal digits.
        type: str
        default: "0644"
      owner:
        description: User.
        type: str
        default: root
      group:
        description: Group.
        type: str
        default: root
  absent:
    description: Files and empty directories that must not exist.
    type: list
    elements: path
    default: []
  units:
    description:
      - Units to see to once the files are in place. A state that is not given is left as it is; systemd reads its unit files
        again where one of them changed.
      - In check mode a unit that is not installed yet counts as one that would be changed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name with suffix, such as C(keepalived.service).
        type: str
        required: true
      enabled:
        description: Whether it starts at boot.
        type: bool
      masked:
        description: Whether it can be started at all.
        type: bool
      active:
        description: Whether it runs now.
        type: bool
      reloaded_by:
        description: Files whose change asks for a reload, if it runs.
        type: list
        elements: path
        default: []
  note:
    description:
      - File that keeps the changed paths until they have been acted upon. It is written before the first change.
      - Removed at the end where a unit has O(units[].reloaded_by); else by whoever acts upon the changes (O(absent)).
    type: path
"""

EXAMPLES = r"""
- name: Keep the journal over a reboot
  holdfast.cluster.site_files:
    directories:
      - path: /etc/systemd/journald.conf.d
    files:
      - path: /etc/systemd/journald.conf.d/60-holdfast.conf
        content: |
          [Journal]
          Storage=persistent

- name: Load firewall rules at boot and at every change
  holdfast.cluster.site_files:
    files:
      - path: /etc/holdfast/iscsi-target.nft
        content: "{{ lookup('ansible.builtin.template', 'iscsi-target.nft.j2') }}"
    units:
      - name: holdfast-iscsi-firewall.service
        enabled: true
        active: true
        reloaded_by: [/etc/holdfast/iscsi-target.nft]
    note: /var/lib/holdfast/unfinished/iscsi_target
"""

RETURN = r"""
actions:
  description: What was done or, in check mode, would be done.
  returned: success
  type: list
  elements: str
changed_paths:
  description:
    - Paths that were made, changed or removed, or would be in check mode.
    - With O(note) also those that a run before this one changed and nobody acted upon.
  returned: success
  type: list
  elements: str
files:
  description: What is now at each path.
  returned: success
  type: dict
units:
  description: State of each unit.
  returned: success
  type: dict
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.errors import HoldfastError
from ..module_utils.file_set import FileSet, put_block, read_entry, read_note
from ..module_utils.resource import join_results, sync
from ..module_utils.unit_set import UNIT_DIRECTORY, UNIT_OPTIONS, UnitSet

_CONTENTS = ("content", "secret_content", "block")
_OWNERSHIP = {"owner": {"type": "str", "default": "root"}, "group": {"type": "str", "default": "root"}}


def argument_spec():
    """The options as AnsibleModule takes them."""
    directory = {"path": {"type": "path", "required": True}, "mode": {"type": "str", "default": "0755"}, **_OWNERSHIP}
    file = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str"},
        "secret_content": {"type": "str", "no_log": True},
        "block": {"type": "str"},
        "validate": {"type": "list", "elements": "str", "default": []},
        "mode": {"type": "str", "default": "0644"},
        **_OWNERSHIP,
    }
    return {
        "directories": {"type": "list", "elements": "dict", "default": [], "options": directory},
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": file,
            "required_one_of": [_CONTENTS],
            "mutually_exclusive": [_CONTENTS],
        },
        "absent": {"type": "list", "elements": "path", "default": []},
        "units": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {**UNIT_OPTIONS, "reloaded_by": {"type": "list", "elements": "path", "default": []}},
        },
        "note": {"type": "path"},
    }


def build_file_set(params):
    """The wanted state of the module's parameters."""
    wanted = dict.fromkeys(params["absent"])
    secrets, checks = [], {}
    for item in params["directories"]:
        wanted[item["path"]] = {"kind": "directory", **{key: item[key] for key in ("mode", "owner", "group")}}
    for item in params["files"]:
        wanted[item["path"]] = {
            "kind": "file",
            "content": _content(item),
            **{key: item[key] for key in ("mode", "owner", "group")},
        }
        secrets += [item["path"]] if item["secret_content"] is not None else []
        checks[item["path"]] = item["validate"]
    return FileSet(wanted, secrets, checks, params["note"])


def _content(item):
    if item["block"] is not None:
        return put_block((read_entry(item["path"]) or {}).get("content", ""), item["block"])
    return item["content"] if item["secret_content"] is None else item["secret_content"]


def build_unit_set(units, changed_paths, check_mode):
    """The wanted state of the units after these changes."""
    wanted = {unit["name"]: {**unit, "reloaded": bool(set(unit["reloaded_by"]) & set(changed_paths))} for unit in units}
    stale = any(path.startswith(UNIT_DIRECTORY) for path in changed_paths)
    return UnitSet(wanted, daemon_reload=stale and not check_mode, may_be_missing=check_mode)


def sync_files(params, check_mode):
    """Files first, then the units; what `main` returns."""
    noted = read_note(params["note"]) if params["note"] else []
    files = sync(build_file_set(params), check_mode)
    changed = [action.split(" ", 1)[1] for action in files["actions"]]
    results = {"files": files}
    changed = [*(path for path in noted if path not in changed), *changed]
    if params["units"]:
        results["units"] = sync(build_unit_set(params["units"], changed, check_mode), check_mode)
    if params["note"] and not check_mode and any(unit["reloaded_by"] for unit in params["units"]):
        Path(params["note"]).unlink(missing_ok=True)
    joined = join_results(results)
    return {**joined, **joined.pop("state"), "changed_paths": changed}


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = sync_files(module.params, module.check_mode)
    except HoldfastError as error:
        module.fail_json(**error.as_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
