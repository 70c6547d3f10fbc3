"""`python -m tests.programs.chaos` (or `make chaos`): jobs run while a seeded generator breaks things. A checker reads
the engine's own records, the proxy's log and the blocks' traces afterwards.
"""
