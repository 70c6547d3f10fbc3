"""The commands that ask a running worker over its control socket: what they have in common."""
