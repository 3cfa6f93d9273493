# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What a reservation key of the project means: cluster, node and start, in 64 bits.

Bits 63..32 are the first 32 bits of the SHA-256 of C(holdfast/<cluster>) with the top bit set, bits 31..24 the node's
number, bits 23..0 the number of the agent's start (never zero). The agent makes keys; here they are recognised and, for
work before there is an agent, made.
"""

from __future__ import annotations

import hashlib

_TOP_BIT = 1 << 31
MAX_NODE_ID = 255
MAX_EPOCH = (1 << 24) - 1


def cluster_bits(cluster):
    """The upper half of every key of I(cluster)."""
    digest = hashlib.sha256(f"holdfast/{cluster}".encode()).digest()
    return int.from_bytes(digest[:4], "big") | _TOP_BIT


def build_key(cluster, node_id, epoch):
    """Key of a node for one start; raises C(ValueError) outside the ranges."""
    if not 0 < node_id <= MAX_NODE_ID or not 0 < epoch <= MAX_EPOCH:
        raise ValueError(f"node {node_id} or epoch {epoch} is out of range")
    return cluster_bits(cluster) << 32 | node_id << 24 | epoch


def key_is_of_cluster(key, cluster):
    """Whether a key belongs to one of the cluster's nodes."""
    return key >> 32 == cluster_bits(cluster)


def key_node_id(key):
    """Number of the node that made the key."""
    return key >> 24 & 0xFF
