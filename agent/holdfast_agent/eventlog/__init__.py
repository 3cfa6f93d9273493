"""What the agent decided, saw and did: one JSON line each, and a readable line in the journal."""
