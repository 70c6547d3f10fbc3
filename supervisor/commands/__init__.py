"""The commands that people type: one module for each, or a folder if it has more. Imported only when it is run.

Nothing of the daemon imports from here.
"""
