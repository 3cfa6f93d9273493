"""Virtual addresses: keepalived carries them, ownership decides, the kernel says where they are."""
