"""The steps: a module for each question, in this order."""

from tests.programs.systemd.steps import speaking, ending, progress, places, users, apart, forms, installed  # noqa: F401, I001
