"""Blocks that misbehave on purpose, for tests and demonstrations. Loaded only when named (`blocks.testing`).

Each does one thing that a worker has to survive. Some would harm a machine where nothing contains them: run
them through a worker or the harness, not in a process of your own.
"""

__neops_named_only__ = True
