"""Child processes for everything that can hang, so that the agent's own loop never does."""
