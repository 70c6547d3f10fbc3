"""Jobs that have ended, kept for a while for whoever asks: how they ended, what they took, and their log."""
