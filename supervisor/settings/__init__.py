"""What an operator sets: by flag, by variable or in a file. It is read once, validated, and passed on."""
