"""How a block runs a program: no shell, limited output, limited time. Nothing of its process group stays running."""

from blocks.programs.pipes import Output, Pipe
from blocks.programs.run import Completed, run_program

__all__ = ["Completed", "Output", "Pipe", "run_program"]

__neops_named_only__ = True
"""There are no blocks here, and one of the modules is a program. No list of skipped modules needs to name them."""
