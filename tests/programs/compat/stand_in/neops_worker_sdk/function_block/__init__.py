"""Own modules first, then those of the alias."""
