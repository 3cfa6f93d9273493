"""`holdfast explain …`: what a setting means, computed by the code that uses it."""
