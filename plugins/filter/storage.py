# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Views of a resolved site for the storage roles."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ..module_utils import storage_views as views
from ..module_utils.errors import HoldfastError


def _told(view):
    """The view with our errors as errors of the template: no traceback for a wrong inventory."""

    def call(*arguments):
        try:
            return view(*arguments)
        except HoldfastError as error:
            raise AnsibleFilterError(error.message) from error

    return call


class FilterModule:
    """Every filter takes the site first, except where it says otherwise."""

    def filters(self):
        """Names of the filters."""
        names = (
            "initiator_names",
            "node_chap",
            "node_maps",
            "node_portals",
            "node_volume_groups",
            "target_initiators",
            "target_luns",
            "target_portals",
            "target_sources",
        )
        # target_prefix takes the IQN prefix first.
        return {name: _told(getattr(views, name)) for name in (*names, "target_prefix")}
