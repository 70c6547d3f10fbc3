"""`supervisor check`: what of an author's blocks will not work, or not as meant.

Blocks are imported in a template, as everywhere; what is read here of their source is text, and never run.
"""
