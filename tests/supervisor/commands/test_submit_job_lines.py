"""Jobs from JSON lines: what a line may say, and how each bad one is named, without a value in it."""

import pytest

from supervisor.commands.submit.job_lines import BadLinesError, JobLine, read_job_lines


def read(text: str, block: str | None = "echo") -> list[JobLine]:
    return read_job_lines(text, block, "execute", None)


def test_a_line_is_a_job_blank_ones_are_none_and_numbers_are_those_of_an_editor() -> None:
    first, second = read(
        '{"params": {"a": 1}}\n\n  \n{"block": "acme/x", "entity_id": 3, "run_on": "device"}\r\n'
    )
    assert (first.number, first.block, first.body) == (1, "echo", {"parameters": {"a": 1}})
    assert (second.number, second.block, second.run_on, second.entity_id) == (4, "acme/x", "device", 3)


def test_parameters_may_be_called_as_the_engine_calls_them() -> None:
    (line,) = read('{"parameters": {"a": 1}, "context": {"devices": []}, "type": "acquire"}')
    assert (line.body, line.job_type) == ({"parameters": {"a": 1}, "context": {"devices": []}}, "acquire")


def test_a_line_separator_within_a_text_ends_no_line() -> None:
    (line,) = read('{"params": {"text": "a\u2028b\x85c"}}')
    assert line.body == {"parameters": {"text": "a\u2028b\x85c"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is not JSON: Expecting property name"),
        ("[1]", "it has to be a JSON object"),
        ('{"params": {"a": NaN}}', "it has no NaN"),
        ('{"params": ["s3cret"]}', "params: Input should be a valid dictionary"),
        ('{"parms": {}}', "'parms' is not known. Known are block, params"),
        ('{"type": "run"}', "type: Input should be 'acquire', 'execute' or 'rollback'"),
        ('{"entity_id": "s3cret"}', "entity_id: Input should be a valid integer"),
        ('{"context": {"devices": "s3cret"}}', "context: devices has to be a list"),
        ("[" * 100_000, "maximum recursion depth"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_no_value(text: str, said: str) -> None:
    with pytest.raises(BadLinesError) as error:
        read("{}\n" + text)
    assert str(error.value).startswith("line 2: ")
    assert said in str(error.value)
    assert "s3cret" not in str(error.value)
    assert str(error.value).endswith("No job was submitted.")


def test_every_bad_line_is_named_up_to_twenty() -> None:
    with pytest.raises(BadLinesError) as error:
        read("{\n" * 30)
    said = str(error.value).splitlines()
    assert (len(said), said[19][:8], said[20]) == (22, "line 20:", "and 10 more lines")


def test_a_line_without_a_block_needs_one_for_all() -> None:
    with pytest.raises(BadLinesError, match="line 1: it names no block"):
        read("{}", None)


def test_parameters_are_in_no_representation() -> None:
    (line,) = read('{"params": {"password": "s3cret"}}')
    assert "s3cret" not in repr(line)
