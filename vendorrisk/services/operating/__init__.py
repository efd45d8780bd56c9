"""What operators do: keys, backups, erasure, upgrades, check-ups."""
