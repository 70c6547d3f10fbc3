"""What a shell completes: the commands, their flags, and values, if a flag has only a few."""
