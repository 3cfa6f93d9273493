# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Views of a resolved site, for playbooks."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.definition import documents, views
from ..module_utils.definition.resolve import Site


def _checked(site: Any) -> Site:
    if not isinstance(site, dict) or "virtual_routers" not in site:
        raise AnsibleFilterError("not a resolved site; run holdfast.cluster.site_definition first")
    return site


class FilterModule:
    """Every filter takes the site and, where it makes a difference, the name of a host."""

    def filters(self) -> dict[str, Any]:
        return {
            "node_document": lambda site, node: documents.node_document(_checked(site), node),
            "package_documents": lambda site, node: documents.package_documents(_checked(site), node),
            "virtual_routers": lambda site, node: _checked(site)["virtual_routers"].get(node, []),
            "databases": lambda site, node, kind: views.databases(_checked(site), node, kind),
            "database_versions": lambda site, node, kind: views.database_versions(_checked(site), node, kind),
            "borrowed_volumes": lambda site, node: views.borrowed_volumes(_checked(site), node),
            "host_entries": lambda site: views.host_entries(_checked(site)),
        }
