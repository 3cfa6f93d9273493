"""The package "erp" under Pacemaker, on the storage that Holdfast's playbooks build. What it is set to: settings.yml."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from holdfast.bench.cluster import INVENTORY, ROOT, SERVICE_SECONDS, LabCluster, Recipe
from holdfast.drill.hosts import SshShell, read_inventory
from holdfast.drill.site import Site
from holdfast.drill.view import build_view
from holdfast.lab.errors import LabError
from holdfast.lab.wait import wait_for

HERE = Path(__file__).parent
GROUP, DEVICE = "erp", "/dev/mapper/erp-data"
RESOURCES = ("lvm", "files", "database", "address")
PACKAGE = {
    "name": "erp",
    "nodes": ["node1", "node2"],
    "virtual_addresses": [{"address": "10.20.0.50/24", "interface": "client"}],
    "resources": [{"type": "postgresql", "port": 5432, "data_directory": "/srv/erp/pgdata"}],
}


class PacemakerCluster(LabCluster):
    recipe = Recipe(str(HERE / "topology.yml"), ("build_cluster", HERE / "deploy.yml"))

    def find_site(self) -> Site:
        listing = read_inventory(INVENTORY, ROOT)
        variables = listing["_meta"]["hostvars"]
        node = {"cluster": "lab", "nodes": {name: {"id": number, "addresses": variables[name]["holdfast_addresses"]}
                                            for number, name in enumerate(PACKAGE["nodes"], 1)}}
        return Site(INVENTORY, variables, SshShell(variables), build_view(listing, node, PACKAGE, ""))

    def owner(self) -> str:
        """The resources run on one node, and both nodes are members whose key is on the array."""
        nodes = self.site.view.nodes

        def settled() -> str | None:
            for node in nodes:
                try:
                    keys = set(self.run(node, f"mpathpersist --in --read-keys -d {DEVICE}").split())
                    owner = parse_crm_mon(self.run(node, "crm_mon --one-shot --output-as=xml"))
                except LabError:
                    return None
                if owner is None or not {f"0x{number}" for number in range(1, len(nodes) + 1)} <= keys:
                    return None
            return owner

        return wait_for("Pacemaker runs the package and could move it", settled, timeout_seconds=SERVICE_SECONDS)

    def prepare(self, owner: str) -> None:
        """Nothing: with migration-threshold at its default no failure counts against a node."""

    def move(self, owner: str) -> None:
        self.run(owner, f"pcs resource move {GROUP} {self.other(owner)}", timeout_seconds=SERVICE_SECONDS)

    def leave_alone(self, owner: str) -> None:
        self.run(owner, "pcs property set maintenance-mode=true")

    def watch_again(self, owner: str) -> None:
        self.run(owner, "pcs property set maintenance-mode=false")


def parse_crm_mon(text: str) -> str | None:
    """The node that runs all resources, where all nodes are fit and nothing is pending or failed (crm_mon --output-as=xml)."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise LabError(f"crm_mon said something else than XML: {text[:100]!r}") from error
    members = root.findall("./nodes/node")
    fit = {"online": "true", "standby": "false", "maintenance": "false", "pending": "false", "unclean": "false"}
    if not members or any(member.get(key) != value for member in members for key, value in fit.items()):
        return None
    owners = set()
    for name in RESOURCES:
        found = root.findall(f"./resources//resource[@id='{name}']")
        if len(found) != 1 or not is_running(found[0]):
            return None
        owners.update(node.get("name") for node in found[0].findall("./node"))
    return owners.pop() if len(owners) == 1 else None


def is_running(resource: ElementTree.Element) -> bool:
    """Started, managed, and with no action under way."""
    wanted = {"role": "Started", "active": "true", "blocked": "false", "managed": "true", "failed": "false"}
    return all(resource.get(key) == value for key, value in wanted.items()) and resource.get("pending") is None
