"""Poolers that hold clients back while a package moves: the gate beside each of them, and the nodes' way to ask it.

The gate runs on the pooler's host, next to PgBouncer, and is the only one that may use PgBouncer's admin console (its
Unix socket, same user). The nodes ask the gate over the client network, and all they can ask is: pause, go on, how are you.
"""
