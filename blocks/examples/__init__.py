"""Small blocks to learn from, each with its tests beside it: `pytest blocks/examples` in a checkout.

Copy one to begin with. A worker runs them only where it is told to: `--function-blocks blocks.examples`.
"""

__neops_named_only__ = True
