"""The steps, in the order in which they run."""

from tests.programs.lab.steps import changing, holding, reading

__all__ = ["changing", "holding", "reading"]
