"""The steps: a module for each question, in this order."""

from tests.programs.systemd.steps import speaking, ending, progress, places, users, groups, apart, tokens  # noqa: F401, I001
from tests.programs.systemd.steps import forms, installed  # noqa: F401
