# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Multipath maps as modules take them."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(multipath_maps); a module adds whether it needs them."""

    DOCUMENTATION = r"""
options:
  maps:
    description: The maps.
    type: list
    elements: dict
    suboptions:
      name:
        description: Alias of the map.
        type: str
        required: true
      wwid:
        description: WWID of the LUN.
        type: str
        required: true
      paths:
        description: Number of paths it must have. A map with fewer is an error, not a success.
        type: int
        default: 2
"""
