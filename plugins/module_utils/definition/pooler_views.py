"""What role pgbouncer needs of a site."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from typing import Any

from .resolve import Site


def pooler_instances(site: Site, host: str) -> list[dict[str, Any]]:
    """The poolers of one host: where each listens, where it leads, and which nodes may ask it to pause."""
    return [
        {
            "package": package["name"],
            "host": host,
            **{key: pooler[key] for key in ("address", "port", "control_port")},
            "target_address": package["virtual_addresses"][0]["address"].partition("/")[0],
            "target_port": _database(package)["port"],
            "callers": _callers(site, package),
        }
        for package in site["packages"]
        for pooler in package["poolers"]
        if pooler["host"] == host
    ]


def pooler_logins(site: Site, node: str) -> list[dict[str, Any]]:
    """The databases of a node in which poolers look up accounts."""
    return [
        {
            "package": package["name"],
            "version": _database(package)["version"],
            "port": _database(package)["port"],
            "data_directory": _database(package)["data_directory"],
        }
        for package in site["packages"]
        if package["poolers"] and node in package["nodes"]
    ]


def _database(package: dict[str, Any]) -> dict[str, Any]:
    database: dict[str, Any] = next(item for item in package["resources"] if item["type"] == "postgresql")
    return database


def _callers(site: Site, package: dict[str, Any]) -> list[str]:
    """Addresses of the package's nodes in the network of its first address, and that address itself."""
    virtual = ip_interface(package["virtual_addresses"][0]["address"])
    addresses = [text for node in package["nodes"] for text in site["nodes"][node]["addresses"].values()]
    return [*(text for text in addresses if ip_address(text) in virtual.network), str(virtual.ip)]
