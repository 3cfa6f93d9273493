"""The documents that the agent reads, and nothing else (`/etc/holdfast`)."""

from __future__ import annotations

import json
from typing import Any

from .resolve import Site

NODE_DOCUMENT = "/etc/holdfast/node.json"
PACKAGE_DIRECTORY = "/etc/holdfast/packages"


def node_document(site: Site, node: str) -> dict[str, Any]:
    """node.json of one node."""
    cluster = site["cluster"]
    networks = cluster["heartbeat_networks"]
    return {
        "schema": site["schema"],
        "cluster": cluster["name"],
        "node": node,
        "node_id": site["nodes"][node]["id"],
        "nodes": {
            name: {"id": member["id"], "addresses": {network: member["addresses"][network] for network in networks}}
            for name, member in site["nodes"].items()
        },
        "heartbeat_networks": networks,
        "witness": cluster["witness"],
        "profile": cluster["profile"],
        "watchdog": cluster["watchdog"],
    }


def package_documents(site: Site, node: str) -> list[dict[str, Any]]:
    """The package documents of one node: only packages that it may own.

    Sizes stay behind: they concern whoever makes the volumes, not the agent.
    """
    return [package_document(package) for package in site["packages"] if node in package["nodes"]]


def package_document(package: dict[str, Any]) -> dict[str, Any]:
    """The document of one package, the same on all of its nodes."""
    filesystems = [
        {key: item[key] for key in ("volume", "fstype", "path", "options")} for item in package["storage"]["filesystems"]
    ]
    return {**package, "storage": {**package["storage"], "filesystems": filesystems}}


def render_document(document: dict[str, Any]) -> str:
    """The text of a document: stable, so that an unchanged one is byte for byte the same."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
