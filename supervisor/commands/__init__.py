"""What people type: one module for each command, or a folder where it has more. Imported only when it is run.

Nothing that the daemon is made of imports from here.
"""
