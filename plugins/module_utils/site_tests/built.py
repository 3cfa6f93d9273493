# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a site was built at all: before, what only the build makes is not missing yet."""

from __future__ import annotations

from .verdict import postpone

NOT_BUILT = "no node is built yet; build_cluster.yml makes it"


def is_built(seen):
    """Whether any node carries the cluster's files. One that could not be asked may, so nothing is excused then."""
    return any(observation is None or observation["built"] for observation in seen.values())


def await_build(results, seen):
    """I(results), with those postponed that fail because nothing was built."""
    return results if is_built(seen) else [postpone(result, NOT_BUILT) for result in results]
