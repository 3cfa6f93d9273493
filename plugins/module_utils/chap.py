# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets of an iSCSI session in both directions, as array and nodes take them."""

from __future__ import annotations

#: As AnsibleModule takes them; documented in each module, because fragments do not reach below an option.
CHAP_OPTIONS = {
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "mutual_username": {"type": "str", "required": True},
    "mutual_password": {"type": "str", "required": True, "no_log": True},
}
CHAP_KEYS = tuple(CHAP_OPTIONS)
#: RFC 7143, 12.1.3.1: a CHAP secret has at least 96 bits.
MIN_CHAP_SECRET_BYTES = 12
