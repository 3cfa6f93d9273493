# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Views of a resolved site for role pgbouncer."""

from __future__ import annotations

from typing import Any

from ..module_utils.definition import pooler_views
from ..module_utils.pooler_secrets import gate_key, login_password


def add_passwords(logins: list[dict[str, Any]], cluster_key: str) -> list[dict[str, Any]]:
    """The logins with the password of each package's poolers."""
    return [{**login, "password": login_password(cluster_key, login["package"])} for login in logins]


class FilterModule:
    """The first two take the site and a host; the secrets take the cluster's key."""

    def filters(self) -> dict[str, Any]:
        return {
            "pooler_instances": pooler_views.pooler_instances,
            "pooler_logins": pooler_views.pooler_logins,
            "pooler_gate_key": gate_key,
            "pooler_login_password": login_password,
            "pooler_login_passwords": add_passwords,
        }
