"""Programs that a block runs: no shell, bounded output, bounded time, nothing of their group left running."""

from blocks.programs.pipes import Output, Pipe
from blocks.programs.run import Completed, run_program

__all__ = ["Completed", "Output", "Pipe", "run_program"]
