"""Databases, systemd units and OCF agents: started, stopped, asked, killed; always inside a child with a deadline."""
