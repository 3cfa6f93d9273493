"""`holdfast demo`: from nothing to a cluster, two drills and their reports, in one command."""
