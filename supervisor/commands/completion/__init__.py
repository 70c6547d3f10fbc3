"""What a shell completes: the commands, their flags, and the values of those that have a few."""
