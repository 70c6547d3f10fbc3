"""What the commands that ask a running worker over its control socket have in common."""
