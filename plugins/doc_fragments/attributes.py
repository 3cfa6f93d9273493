# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What every module of the collection promises about check mode and diff mode."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments C(attributes) (writing modules) and C(attributes.info) (reading modules)."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, without changing anything.
    support: full
  diff_mode:
    description: Shows the state before and after, without secrets.
    support: full
  platform:
    description: Systems on which the module runs.
    support: full
    platforms: Linux
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Changes nothing, so check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  platform:
    description: Systems on which the module runs.
    support: full
    platforms: Linux
"""
