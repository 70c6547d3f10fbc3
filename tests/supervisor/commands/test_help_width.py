"""The end of a command's help has line ends of its own, and is not folded again in a terminal of 80 columns."""

import importlib

import pytest

from supervisor.cli import module_of


@pytest.mark.parametrize(
    "command", ["status", "jobs", "job", "top", "support-bundle", "deploy", "backup", "cancel"]
)
def test_the_end_of_the_help_fits_into_80_columns(command: str) -> None:
    epilog = importlib.import_module(module_of(command))._EPILOG
    assert [line for line in epilog.splitlines() if len(line) > 80] == []
