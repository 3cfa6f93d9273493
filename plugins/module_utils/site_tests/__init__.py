# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The tests of a site: pure functions over its definition and what its hosts saw."""
