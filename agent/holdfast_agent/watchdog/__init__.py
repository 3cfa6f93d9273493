"""The hardware (in the lab: software) watchdog that resets a node which can no longer stop by itself."""
