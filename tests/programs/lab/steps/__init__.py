"""The steps, in the order in which they run."""

from tests.programs.lab.steps import holding, reading

__all__ = ["holding", "reading"]
