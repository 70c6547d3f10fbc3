"""What an operator sets: by flag, by variable or in a file. Read once, validated, and handed down."""
