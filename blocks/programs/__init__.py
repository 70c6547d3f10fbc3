"""Programs that a block runs: no shell, bounded output, bounded time, nothing of their group left running."""

from blocks.programs.pipes import Output, Pipe
from blocks.programs.run import Completed, run_program

__all__ = ["Completed", "Output", "Pipe", "run_program"]

__neops_named_only__ = True
"""There are no blocks here, and one of the modules is a program: no list of what was left out need name them."""
