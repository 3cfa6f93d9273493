"""Volume groups and file systems: activation without waiting for udev, mounting without helper programs."""
