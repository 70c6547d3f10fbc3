"""Small blocks to learn from, with tests in the same file: `pytest blocks/examples` in a checkout.

Copy one to begin with. A worker runs them only if you tell it to: `--function-blocks blocks.examples`.
"""

__neops_named_only__ = True
