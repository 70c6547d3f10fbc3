"""Jobs that have ended, kept for a while: how they ended, what they used, and their log."""
