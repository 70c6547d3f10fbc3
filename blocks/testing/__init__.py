"""Blocks that misbehave on purpose, for tests and demonstrations. Loaded only if you name them (`blocks.testing`).

Each does one thing that a worker has to survive. Some would harm a machine on which nothing contains them: run
them through a worker or the test fixtures, not in a process of your own.
"""

__neops_named_only__ = True
