"""What a site is meant to be: one schema, one shape check, one resolve.

The inventory says `holdfast_cluster`, `holdfast_luns` and `holdfast_packages`.
`shape` checks their form against `schema`, `resolve` checks how they fit
together and derives everything else (WWIDs, virtual routers, the documents
that the agent reads). Nothing here runs a command or imports Ansible.
"""
