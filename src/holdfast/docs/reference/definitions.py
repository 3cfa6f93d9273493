"""docs/reference/definitions.md, from the one schema of cluster, LUNs and packages."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from holdfast.docs.reference.markdown import fence, page
from holdfast.docs.reference.options import option_table

_SCHEMA = "plugins/module_utils/definition/schema.py"
_EXAMPLE = "inventories/example/group_vars/all"
_ABOUT = """An operator says in the inventory what is wanted; everything else is derived from it once.
`playbooks/resolve_site.yml` checks the whole of it and tells all problems at once, each with its path
(`holdfast_packages[0].storage.luns[0]: …`), before any node is touched. The agents on the nodes read the result,
`/etc/holdfast/node.json` and `/etc/holdfast/packages/<name>.json`, and nothing else."""
_HOSTS = """## Variables of hosts and secrets

| Variable | Where | Meaning |
| --- | --- | --- |
| `holdfast_addresses` | every host | Its own address on each network, by name of the network. Names of networks are yours. |
| `holdfast_interfaces` | host or all | Name of the interface of a network, where it is another: `{client: eth0}`. |
| `holdfast_iqn_prefix` | all | IQN that the names of targets and initiators start with. |
| `holdfast_initiator_names` | all | Initiator name by node, where it must not be the derived one. |
| `holdfast_secrets.cluster_key` | vault | 32 characters or more; authenticates the agents' heartbeats. |
| `holdfast_chap_secrets`, `holdfast_chap_mutual_secrets` | vault | By node, 12 characters or more, all different. |
| `holdfast_production` | all | `true`: drills refuse this inventory without `--approve-production CLUSTER`. |
| `holdfast_power` | host | How drills cut a real machine's power ([drills](../drills.md)). |

Groups: `array` (Linux hosts that make the LUNs), `cluster_nodes`, `clients` (a drill measures from the first one). Where
every LUN has a `wwid`, `array` is empty and `iscsi_initiator_portals` has to name the portals of that other array; LUNs that
come without iSCSI (Fibre Channel) are not what `playbooks/build_cluster.yml` builds."""
_RULES = """## What is refused beyond the form

- **Cluster**: fewer than two nodes; two nodes with one name or id; a node that is no host of the inventory or has no address
  on a heartbeat or storage network; a witness that is an address of the cluster.
- **LUNs**: two with one name or WWID; both `array` and `wwid`; a lock LUN below 16 MiB; LUNs too small for the volumes on
  them.
- **Packages**: one node only; a node that is not in the cluster; a LUN that is unknown or used twice; a volume group, port,
  data directory, unit or mount point used twice; mount points inside each other or in the system's own directories; a data
  directory that is not below a file system of the package; a resource that names no class or two.
- **Addresses**: two hosts with one address; a virtual address that somebody has, or in whose network a node has no address of
  its own; more virtual routers (one per package, interface and node) than there are ids."""


def render_definitions(root: Path) -> str:
    """The whole page. The schema is data in a file of its own; it is run as such and imports nothing."""
    schema: dict[str, Any] = runpy.run_path(str(root / _SCHEMA))["DEFINITIONS"]
    parts = [_ABOUT]
    for name, spec in schema.items():
        parts += [f"## {name}", str(spec["description"]), option_table(spec["options"])]
    parts += [_HOSTS, _RULES, "## Example", "From `inventories/example`, the smallest real site:"]
    parts += [fence((root / _EXAMPLE / name).read_text(encoding="utf-8"), "yaml") for name in ("cluster.yml", "packages.yml")]
    return page("Cluster, LUNs and packages", f"`{_SCHEMA}`", *parts)
