#!/usr/bin/python
# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_definition
short_description: Check and resolve the definitions of a site
version_added: 0.1.0
author: Holdfast contributors (@holdfast)
description:
  - Checks the shape of C(holdfast_cluster), C(holdfast_luns) and C(holdfast_packages), checks how they fit together and
    with the inventory's hosts, and derives everything else (WWIDs, virtual routers).
  - Reports every problem at once, each with its path. Runs on the controller alone and changes nothing.
attributes:
  check_mode:
    support: full
    description: Nothing is changed in any mode.
  diff_mode:
    support: none
    description: Nothing is changed in any mode.
options:
  cluster:
    description: The value of C(holdfast_cluster).
    type: raw
  luns:
    description: The value of C(holdfast_luns).
    type: raw
  packages:
    description: The value of C(holdfast_packages).
    type: raw
  iqn_prefix:
    description: The value of C(holdfast_iqn_prefix). Without it initiator names and CHAP secrets are not checked.
    type: str
    default: ""
  initiator_names:
    description: InitiatorName by node, where it is not made from cluster and node.
    type: dict
    default: {}
  chap_secrets:
    description: CHAP secrets by node. Not returned.
    type: dict
    default: {}
  chap_mutual_secrets:
    description: CHAP secrets of the other direction by node. Not returned.
    type: dict
    default: {}
  secrets:
    description: Secrets that must have a value, by the name of the variable that holds them. Not returned.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Check the definitions
  holdfast.cluster.site_definition:
    cluster: "{{ holdfast_cluster }}"
    luns: "{{ holdfast_luns }}"
    packages: "{{ holdfast_packages }}"
    secrets:
      holdfast_secrets.cluster_key: "{{ holdfast_secrets.cluster_key | default('') }}"
  run_once: true
"""

RETURN = r"""
ansible_facts:
  description: The site as C(holdfast_site), for the filters of this collection.
  returned: success
  type: dict
  contains:
    holdfast_site:
      description: Cluster, nodes, LUNs with their WWIDs, packages and virtual routers.
      type: dict
problems:
  description: What is wrong, one line for each problem, starting with its path in the inventory.
  returned: failure
  type: list
  elements: str
"""
