"""systemd, spoken to directly: states and jobs of units without starting systemctl."""
