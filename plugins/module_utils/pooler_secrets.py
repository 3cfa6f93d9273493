# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets of poolers, made from the cluster's key so that no vault has to hold them; none leads back to that key."""

from __future__ import annotations

import hmac


def gate_key(cluster_key, package, host):
    """Key that the nodes and one package's gate on one host share; the agent derives the same (holdfast_agent.pooler.message)."""
    return _derive(cluster_key, f"holdfast gate {package} {host}")


def login_password(cluster_key, package):
    """Password of the role under which the poolers of a package look up accounts."""
    return _derive(cluster_key, f"holdfast pooler login {package}")


def _derive(cluster_key, purpose):
    return hmac.digest(cluster_key.strip().encode(), purpose.encode(), "sha256").hex()
