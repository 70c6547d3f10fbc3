"""The commands of a running worker's control socket: a file for each, and their table."""
