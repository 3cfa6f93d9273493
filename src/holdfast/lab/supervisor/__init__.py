"""The one process of a running lab: it owns the lab's namespaces, networks and nodes, and ends with all of them."""
