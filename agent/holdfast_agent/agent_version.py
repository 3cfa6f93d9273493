"""Version of the agent, the same as the collection's; a test compares them."""

from __future__ import annotations

VERSION = "0.1.0"
