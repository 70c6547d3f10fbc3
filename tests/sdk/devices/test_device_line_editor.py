"""What the terminal of the emulated device makes of the keys."""

import pytest

from sdk.testing.devices.line_editor import LineEditor


def lines_of(keys: str) -> list[str]:
    editor = LineEditor()
    fed = [editor.feed(key, echo=True) for key in keys]
    return [line for _, line in fed if line is not None]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_kind_of_line_end_ends_one_line(end: str) -> None:
    assert lines_of(f"one{end}two{end}") == ["one", "two"]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("shox\x7fw\n", "show"),
        ("x\x08\x08\x08show\n", "show"),
        ("wrong\x15show\n", "show"),
        ("sh\x1b\x07ow\n", "show"),
    ],
)
def test_corrections_and_control_characters_leave_no_trace(keys: str, line: str) -> None:
    assert lines_of(keys) == [line]


@pytest.mark.parametrize(("keys", "line"), [("\x1a", "end"), ("\x04", "exit"), ("half a line\x03", "")])
def test_control_keys_stand_for_lines(keys: str, line: str) -> None:
    assert lines_of(keys) == [line]


def test_what_is_typed_without_echo_is_not_shown() -> None:
    editor = LineEditor()
    echoed = "".join(editor.feed(key, echo=False)[0] for key in "secret\x7f\n")
    assert echoed == "\r\n"


def test_a_line_without_end_takes_bounded_memory() -> None:
    (line,) = lines_of("x" * 100_000 + "\n")
    assert len(line) < 10_000
