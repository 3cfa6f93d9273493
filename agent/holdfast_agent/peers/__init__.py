"""Talking to the other agents, and finding out whether this node is the isolated one."""
