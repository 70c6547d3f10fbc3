"""`python -m tests.chaos` (or `make chaos`): jobs run while a seeded dice breaks things, and a checker that reads the
engine's own records, the proxy's log and the blocks' traces afterwards.
"""
