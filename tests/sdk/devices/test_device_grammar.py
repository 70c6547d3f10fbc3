"""How the emulated device reads a command line."""

import pytest

from sdk.testing.devices.grammar import Command, CommandLineError, InvalidInputError, find_command


def command(syntax: str) -> Command[None]:
    return Command(syntax, lambda _state, _arguments: "")


TABLE = [
    command("show version"),
    command("show vlan"),
    command("show clock"),
    command("shutdown"),
    command("write"),
    command("write memory"),
    command("description <rest>"),
    command("ip address <word> <word>"),
]


def meaning(line: str) -> tuple[str, tuple[str, ...]]:
    found, arguments = find_command(line, TABLE)
    return found.syntax, arguments


@pytest.mark.parametrize("line", ["show clock", "sho c", "SHOW Clock", "  show   clock  "])
def test_words_may_be_cut_short_and_written_in_capitals(line: str) -> None:
    assert meaning(line) == ("show clock", ())


def test_a_word_that_is_complete_wins_over_a_longer_one_that_it_begins() -> None:
    table = [command("show"), command("showroom")]
    assert find_command("show", table)[0].syntax == "show"


def test_a_command_may_be_the_beginning_of_another() -> None:
    assert meaning("write") == ("write", ())
    assert meaning("wr mem") == ("write memory", ())


def test_the_rest_of_a_line_is_kept_as_it_was_typed() -> None:
    assert meaning("desc  To the   Core ") == ("description <rest>", ("To the   Core",))


def test_each_placeholder_takes_one_word() -> None:
    assert meaning("ip addr 192.0.2.1 255.255.255.0")[1] == ("192.0.2.1", "255.255.255.0")


@pytest.mark.parametrize("line", ["sh", "show v", "sh clock"])
def test_a_shortened_word_with_two_meanings_is_ambiguous(line: str) -> None:
    with pytest.raises(CommandLineError, match=f'% Ambiguous command:  "{line}"'):
        meaning(line)


@pytest.mark.parametrize("line", ["show", "ip address 192.0.2.1", "desc"])
def test_a_line_that_stops_too_early_is_incomplete(line: str) -> None:
    with pytest.raises(CommandLineError, match="% Incomplete command"):
        meaning(line)


@pytest.mark.parametrize(
    ("line", "column"), [("nonsense", 0), ("show nonsense", 5), ("show clock now", 11), ("  clock", 2)]
)
def test_the_marker_points_to_the_word_that_fits_nothing(line: str, column: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        meaning(line)
    assert caught.value.column == column
