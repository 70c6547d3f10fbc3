"""The help of each command in a terminal of 80 columns: no line is wider, and none was folded a second time."""

import importlib
import itertools

import pytest

from supervisor.cli import COMMANDS, module_of

COLUMNS = 80
FOLDED_AT = COLUMNS - 2
"""Where argparse folds."""


@pytest.mark.parametrize("command", [*COMMANDS, "daemon"])
def test_help_fits_into_80_columns_and_no_line_of_a_paragraph_ends_early(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module_of(command)).run(["--help"])
    assert ended.value.code == 0
    # What is to be copied is one line, whatever its length.
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("Example: ")]
    assert [line for line in lines if len(line) > COLUMNS] == []
    assert [pair for pair in itertools.pairwise(lines) if _ends_early(*pair)] == []


def _ends_early(line: str, following: str) -> bool:
    """Whether the next line goes on with the same paragraph, and its first word has room here."""
    if not line or not following or line[0].isspace() or following[0].isspace():
        return False
    if following.startswith("Exit code"):
        return False
    return len(f"{line} {following.split()[0]}") <= FOLDED_AT
