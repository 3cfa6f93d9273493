"""The control socket of the agent and the command that speaks to it."""
