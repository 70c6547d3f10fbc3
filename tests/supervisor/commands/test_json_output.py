"""JSON that commands print: programs read all of it, and a terminal obeys none of it."""

import json
import re
import sys
from pathlib import Path

import pytest

from supervisor.commands.control.job_text import details_of, printable
from supervisor.commands.shared.json_output import print_json

HIDDEN = ["\x1b", "\x7f", "\x85", "\x9b", "\u200b", "\u202e", "\u2028", "\u2066", "\U000e0041"]
COMMANDS = Path(__file__).parents[3] / "supervisor/commands"


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_a_terminal_obeys_or_hides_is_an_escape_that_a_program_reads(
    hidden: str, ascii_only: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {f"na{hidden}me": [f"ä\\{hidden}b"]}
    print_json(said, ascii_only=ascii_only)
    shown = capsys.readouterr().out
    assert hidden not in shown
    assert json.loads(shown) == said
    assert ("ä" in shown) is not ascii_only


def test_no_command_prints_json_in_another_way() -> None:
    # What the demo's timer prints is read by the demo alone.
    for path in sorted(COMMANDS.rglob("*.py")):
        if path.relative_to(COMMANDS).as_posix() != "demo/timer.py":
            found = re.search(r"print\(\s*(printable_json|json\.dumps)", path.read_text(encoding="utf-8"))
            assert found is None, f"{path}: print it by supervisor.commands.shared.json_output"


@pytest.mark.parametrize("hidden", [*HIDDEN, "\n", "\t", "\u115f", "\u3164"])
def test_a_last_line_is_one_line_that_shows_what_is_in_it_as_escapes(hidden: str) -> None:
    shown = printable(f"a{hidden}b")
    assert re.fullmatch(r"a\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|n|t)b", shown)


def test_no_command_escapes_a_line_in_a_way_of_its_own() -> None:
    for path in sorted(COMMANDS.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "unicode_escape" not in text, f"{path}: supervisor.log.format has printable_line"


def test_a_result_that_is_nested_without_end_is_shown_by_all_means(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Python 3.11 reads no more levels than it can write with an indent. Later ones do.
    levels = 2000 if sys.version_info >= (3, 12) else 200
    result = json.loads('{"a":' * levels + "1" + "}" * levels)
    print_json({"result": result})
    shown = capsys.readouterr().out
    assert shown.count('"a"') == levels
    too_deep: dict[str, object] = {}
    for _ in range(100_000):
        too_deep = {"a": too_deep or 1}
    assert details_of({"result": too_deep}) == [
        ("result", "(nested too deeply to be shown here; see --json)")
    ]
