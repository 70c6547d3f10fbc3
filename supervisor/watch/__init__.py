"""Watching children: what they print, where they are, and what they use."""
