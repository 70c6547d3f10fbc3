"""What a running worker answers over its control socket: a file for each command, and the table of them."""
