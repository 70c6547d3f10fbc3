"""`supervisor check`: what in an author's blocks will not work, or not as intended.

A template imports the blocks, as everywhere. Their source is read here as text, and never run.
"""
