# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads and changes the running LIO configuration through rtslib, in one process.

The target's own command line starts a Python interpreter per call and keeps no transaction; here one run reads the
configuration once, applies all actions and saves it once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import lio_plan
from .errors import HoldfastError
from .resource import Resource
from .synchronous_directory import is_synchronous, make_synchronous

try:
    import rtslib_fb
    from rtslib_fb.utils import RTSLibError
except ImportError:
    rtslib_fb = None
    RTSLibError = OSError

PORTAL_GROUP_TAG = 1
_SECRET_FILE_MODE = 0o600


def open_root():
    """The root of LIO's configuration; sets the database directory before the first backstore, as the kernel demands."""
    if rtslib_fb is None:
        raise HoldfastError("python3-rtslib-fb is not installed on this node; install it first")
    try:
        return rtslib_fb.RTSRoot()
    except (RTSLibError, OSError) as error:
        raise HoldfastError(f"the kernel's target subsystem is not usable: {error}") from error


class TargetResource(Resource):
    """The LIO configuration of one cluster on one array."""

    def __init__(self, wanted, cluster, prefix, allow_removal, check_mode=False):
        self.wanted = wanted
        self.cluster = cluster
        self.prefix = prefix
        self.allow_removal = allow_removal
        self.check_mode = check_mode
        # Check mode on a bare host: the package is installed by an earlier task of the same run, which did not happen.
        self.root = None if check_mode and rtslib_fb is None else open_root()

    def read(self):
        """The running configuration of the whole array, in the shape described in lio_plan."""
        return lio_plan.empty_state() if self.root is None else read_target(self.root)

    def plan(self, before):
        """See L(lio_plan.plan_target)."""
        return lio_plan.plan_target(
            before, self.wanted, self.cluster, self.prefix, self.allow_removal, sessions_may_end=self.check_mode
        )

    def expect(self, before):
        """See L(lio_plan.expect_target)."""
        return lio_plan.expect_target(before, self.wanted, self._surplus(before))

    def public(self, state):
        """What belongs to the cluster, without secrets."""
        return show_cluster(state, self.wanted, self.prefix)

    def apply(self, action):
        """Carry out one action; an error of the kernel or of rtslib names the action."""
        try:
            getattr(self, "_" + action.verb)(action.subject, **action.detail)
        except (RTSLibError, OSError) as error:
            raise HoldfastError(f"could not {action.describe()}: {error}") from error

    def _surplus(self, before):
        return lio_plan.find_surplus(before, self.wanted, self.cluster, self.prefix)

    def _create_aptpl_directory(self, _subject):
        make_synchronous(aptpl_directory(self.root))

    def _create_backstore(self, name, plugin, path, size, serial):
        if plugin == "fileio":
            _create_file(Path(path), size)
            # write_back off opens the file with O_DSYNC: a write is acknowledged when it is durable.
            rtslib_fb.FileIOStorageObject(name, dev=path, size=size, wwn=serial, write_back=False)
        else:
            rtslib_fb.BlockStorageObject(name, dev=path, wwn=serial, write_back=False)

    def _grow_backstore(self, name, size, path):
        os.truncate(path, size)
        # The kernel takes a new size of a file backstore at any time (fd_set_configfs_dev_params).
        Path(_find_backstore(self.root, name).path, "control").write_text(f"fd_dev_size={size}\n", encoding="ascii")

    def _forget_keys(self, name):
        serial = _find_backstore(self.root, name).wwn
        (aptpl_directory(self.root) / f"aptpl_{serial}").unlink(missing_ok=True)

    def _delete_backstore(self, name):
        _find_backstore(self.root, name).delete()

    def _create_target(self, iqn):
        rtslib_fb.TPG(rtslib_fb.Target(rtslib_fb.FabricModule("iscsi"), iqn), PORTAL_GROUP_TAG)

    def _delete_target(self, iqn):
        rtslib_fb.Target(rtslib_fb.FabricModule("iscsi"), iqn, mode="lookup").delete()

    def _set_attributes(self, iqn, **attributes):
        group = _portal_group(iqn)
        for name, value in attributes.items():
            group.set_attribute(name, value)

    def _export_lun(self, name, target, number):
        rtslib_fb.LUN(_portal_group(target), number, _find_backstore(self.root, name))

    def _create_initiator(self, name, target):
        rtslib_fb.NodeACL(_portal_group(target), name, mode="create")

    def _delete_initiator(self, name, target):
        _node_acl(target, name).delete()

    def _set_chap(self, name, target, username, password, mutual_username, mutual_password):
        acl = _node_acl(target, name)
        acl.chap_userid, acl.chap_password = username, password
        acl.chap_mutual_userid, acl.chap_mutual_password = mutual_username, mutual_password

    def _map_lun(self, _lun, target, initiator, number):
        rtslib_fb.MappedLUN(_node_acl(target, initiator), number, tpg_lun=number)

    def _unmap_lun(self, lun, target, initiator):
        for mapped in _node_acl(target, initiator).mapped_luns:
            if mapped.tpg_lun.storage_object.name == lun:
                mapped.delete()

    def _create_portal(self, portal, target):
        address, port = portal.rsplit(":", 1)
        rtslib_fb.NetworkPortal(_portal_group(target), address, int(port))

    def _delete_portal(self, portal, target):
        for present in _portal_group(target).network_portals:
            if f"{present.ip_address}:{present.port}" == portal:
                present.delete()

    def _enable_target(self, iqn):
        _portal_group(iqn).enable = True

    def _save_configuration(self, _subject):
        write_saved(self.root.dump())


def read_target(root):
    """Everything LIO serves by iSCSI on this host, foreign targets included."""
    return {
        "aptpl_directory": is_synchronous(aptpl_directory(root)),
        "saved": _normalise(read_saved()) == _normalise(root.dump()),
        "backstores": {so.name: _read_backstore(so) for so in root.storage_objects},
        "targets": {
            target.wwn: _read_target(target) for target in root.targets if target.fabric_module.name == "iscsi"
        },
    }


def aptpl_directory(root):
    """Where the kernel writes registrations made with APTPL (core_scsi3_update_aptpl_buf: dbroot/pr)."""
    return Path(root.dbroot, "pr")


def show_cluster(state, wanted, prefix):
    """The part of the state that belongs to one cluster, without secrets."""
    ours = {
        **state,
        "backstores": {n: b for n, b in state["backstores"].items() if n in wanted["backstores"]},
        "targets": {iqn: t for iqn, t in state["targets"].items() if iqn.startswith(prefix + ":")},
    }
    return lio_plan.hide_secrets(ours)


def _read_backstore(storage_object):
    if not storage_object.is_configured():
        # Left behind by a run that was cut off between creation and activation.
        return {"configured": False, "plugin": storage_object.plugin, "serial": "", "path": "", "size": 0, "write_cache": False}
    return {
        "configured": True,
        "plugin": storage_object.plugin,
        "path": storage_object.udev_path,
        "size": storage_object.size if storage_object.plugin in ("block", "fileio") else 0,
        "serial": storage_object.wwn,
        "write_cache": storage_object.plugin in ("block", "fileio") and _caches_writes(storage_object),
    }


def _caches_writes(storage_object):
    """Whether a write may be acknowledged from memory, by the advertised cache or by the way the file is opened."""
    info = Path(storage_object.path, "info").read_text(encoding="ascii", errors="replace")
    return storage_object.get_attribute("emulate_write_cache") != "0" or "Buffered-WCE" in info


def _read_target(target):
    group = next((tpg for tpg in target.tpgs if tpg.tag == PORTAL_GROUP_TAG), None)
    if group is None:
        return {"portals": [], "enabled": False, "attributes": {}, "luns": {}, "initiators": {}}
    return {
        "portals": sorted(f"{portal.ip_address}:{portal.port}" for portal in group.network_portals),
        "enabled": bool(group.enable),
        "attributes": {name: group.get_attribute(name) for name in lio_plan.PORTAL_GROUP_ATTRIBUTES},
        "luns": {lun.storage_object.name: lun.lun for lun in group.luns},
        "initiators": {acl.node_wwn: _read_initiator(acl) for acl in group.node_acls},
    }


def _read_initiator(acl):
    return {
        "luns": {mapped.tpg_lun.storage_object.name: mapped.mapped_lun for mapped in acl.mapped_luns},
        "chap": {
            "username": acl.chap_userid,
            "password": acl.chap_password,
            "mutual_username": acl.chap_mutual_userid,
            "mutual_password": acl.chap_mutual_password,
        },
        "session": acl.session is not None,
    }


def _find_backstore(root, name):
    for storage_object in root.storage_objects:
        if storage_object.name == name:
            return storage_object
    raise HoldfastError(f"backstore {name} has gone while this run was at work")


def _portal_group(iqn):
    # mode any: a run that was cut off may have left the target without its portal group.
    return rtslib_fb.TPG(rtslib_fb.Target(rtslib_fb.FabricModule("iscsi"), iqn, mode="lookup"), PORTAL_GROUP_TAG)


def _node_acl(iqn, initiator):
    return rtslib_fb.NodeACL(_portal_group(iqn), initiator, mode="lookup")


def _create_file(path, size):
    """A sparse file of at least I(size) bytes; an existing one keeps its content."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("ab") as backing:
        if backing.tell() < size:
            os.truncate(backing.fileno(), size)
        os.fsync(backing.fileno())
    path.chmod(_SECRET_FILE_MODE)


def saved_path():
    """The file from which the distribution's service restores the target at boot; distributions differ in its place."""
    return Path(rtslib_fb.root.default_save_file)


def read_saved():
    """The saved configuration, or None where there is none or it was cut off in the middle."""
    try:
        return json.loads(saved_path().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_saved(configuration):
    """Replace the saved configuration in one step: a power cut leaves the old or the new one, never half of it."""
    path = saved_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _SECRET_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(_normalise(configuration), stream, indent=2, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _normalise(value):
    """The same configuration in one order: the kernel lists directories as it likes, and relative port numbers follow
    the order of restoring, so it has to be the same at every start."""
    if isinstance(value, dict):
        return {key: _normalise(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_normalise(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
