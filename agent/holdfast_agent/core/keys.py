"""Reservation keys: 64 bits that name the cluster, the node and the start of its agent.

bits 63..32: first 32 bits of sha256("holdfast/" + cluster), top bit forced; bits 31..24: node id; bits 23..0: epoch.
"""

from __future__ import annotations

import hashlib


def build_key(cluster: str, node_id: int, epoch: int) -> int:
    """The key of one agent start. Raises ValueError for a node id outside 1..255 or an epoch outside 1..2^24-1."""
    if not 1 <= node_id <= 0xFF or not 1 <= epoch <= 0xFFFFFF:
        raise ValueError(f"no key for node id {node_id}, epoch {epoch}")
    prefix = int.from_bytes(hashlib.sha256(f"holdfast/{cluster}".encode()).digest()[:4], "big") | 0x80000000
    return prefix << 32 | node_id << 24 | epoch


def key_node_id(key: int) -> int:
    """Node id inside a key; meaningful only for a key of the own cluster."""
    return key >> 24 & 0xFF


def same_cluster(key: int, other: int) -> bool:
    """Do both keys carry the same cluster prefix?"""
    return key >> 32 == other >> 32


def same_node(key: int, other: int) -> bool:
    """Do both keys belong to one node of one cluster, whatever the epoch?"""
    return key >> 24 == other >> 24
