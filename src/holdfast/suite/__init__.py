"""`holdfast test`: every gate of the project in one command, the same one in CI."""
