"""The steps: a module for each question, in this order."""

from tests.programs.systemd.steps import speaking, ending, places, users, apart  # noqa: F401, I001
