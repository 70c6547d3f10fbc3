"""How the emulated device finds the command that a line means."""

import pytest

from sdk.testing.devices.command_table import CommandLineError, CommandTable, InvalidInputError

TABLE: CommandTable[None] = CommandTable(
    {
        syntax: lambda _state, argument, syntax=syntax: f"{syntax}|{argument}"  # type: ignore[misc]
        for syntax in (
            "show version",
            "show interfaces",
            "show interfaces status",
            "shutdown",
            "write",
            "write memory",
            "description ...",
            "configure terminal [...]",
        )
    }
)


def meaning(line: str) -> str:
    action, argument = TABLE.find(line)
    return action(None, argument)


@pytest.mark.parametrize("line", ["show version", "sh ver", "SHOW Version", "  show   version  "])
def test_common_abbreviations_and_capitals_are_understood(line: str) -> None:
    assert meaning(line) == "show version|"


def test_a_command_may_be_the_beginning_of_another() -> None:
    assert [meaning(line) for line in ("write", "wr mem")] == ["write|", "write memory|"]
    assert [meaning(line) for line in ("sh int", "sh int stat")] == [
        "show interfaces|",
        "show interfaces status|",
    ]


def test_the_argument_is_kept_as_it_was_typed() -> None:
    assert meaning("desc  To the   Core ") == "description ...|To the   Core"


def test_an_argument_may_be_left_out_where_the_table_says_so() -> None:
    assert meaning("conf t") == "configure terminal [...]|"
    assert meaning("conf t revert timer 2") == "configure terminal [...]|revert timer 2"


@pytest.mark.parametrize("line", ["show", "desc", "conf"])
def test_a_line_that_stops_too_early_is_incomplete(line: str) -> None:
    with pytest.raises(CommandLineError, match="% Incomplete command"):
        meaning(line)


@pytest.mark.parametrize(
    ("line", "column"), [("nonsense", 0), ("show nonsense", 5), ("show version now", 13), ("  version", 2)]
)
def test_the_marker_points_to_the_word_that_fits_nothing(line: str, column: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        meaning(line)
    assert caught.value.column == column
