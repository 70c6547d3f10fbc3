"""JSON is given in the same ways to every option that takes some, by every command that has such an option."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands_support import supervisor

from supervisor.commands.run_block import RunBlockSettings
from supervisor.commands.shared.common import read_settings
from supervisor.commands.shared.json_input import FORMS, BadInputError, read_job_input
from supervisor.commands.submit.command import SubmitSettings
from tests.patience import PATIENCE_SECONDS

GIVEN = {"devices": [{"id": 7}]}


@pytest.fixture
def forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Each way to give `GIVEN`."""
    text = json.dumps(GIVEN)
    file = tmp_path / "given.json"
    file.write_text(text)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return {"inline": text, "file": f"@{file}", "stdin": "-", "path": str(file)}


@pytest.mark.parametrize("model", [SubmitSettings, RunBlockSettings])
@pytest.mark.parametrize("form", ["inline", "file", "stdin"])
@pytest.mark.parametrize("flag", ["--params", "--context"])
def test_inline_text_a_file_and_stdin_give_the_same_to_every_option(
    flag: str, form: str, model: type[Any], forms: dict[str, str]
) -> None:
    settings = read_settings(model, ["block", flag, forms[form]], "program")
    found = read_job_input(settings.params, settings.context)
    assert (found.parameters if flag == "--params" else found.context) == GIVEN


def test_a_path_alone_is_still_a_context(forms: dict[str, str]) -> None:
    assert read_job_input("{}", forms["path"]).context == GIVEN


def test_a_path_alone_is_no_parameters_and_the_way_to_read_it_is_told(forms: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match=r"To read the file \S+given\.json, write @\S+given\.json\."):
        read_job_input(forms["path"], None)


def test_stdin_is_not_read_for_two_options() -> None:
    with pytest.raises(BadInputError, match="stdin is read for --params already") as refused:
        read_job_input("-", "-")
    assert refused.value.flag == "--context"


@pytest.mark.parametrize(
    "arguments", [("run-block", "x", "--params"), ("submit", "x", "--context"), ("submit", "--jobs")]
)
@pytest.mark.parametrize(
    ("stdin", "problem"),
    [("<&-", "stdin is closed."), ("0>/dev/null", "stdin can't be read: Bad file descriptor.")],
)
def test_a_stdin_that_can_not_be_read_is_a_mistake_in_the_command_line(
    arguments: tuple[str, ...], stdin: str, problem: str
) -> None:
    command = (sys.executable, "-m", "supervisor", *arguments, "-")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {stdin}', "sh", *command],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    said = " ".join(done.stderr.split())
    assert (done.returncode, done.stdout) == (2, ""), said
    assert f"{arguments[-1]}: {problem} Give a file in place of `-`, as @FILE," in said
    assert "Traceback" not in said


@pytest.mark.parametrize("given", ["[1]", "{", "@/no/such.json", "/no/such.json"])
def test_a_context_that_can_not_be_used_is_named_by_its_flag(given: str) -> None:
    with pytest.raises(BadInputError) as refused:
        read_job_input("{}", given)
    assert refused.value.flag == "--context"
    assert str(refused.value).startswith("--context: ")


@pytest.mark.parametrize("command", ["submit", "run-block"])
def test_the_help_of_each_option_names_all_ways(command: str) -> None:
    assert " ".join(supervisor(command, "--help").stdout.split()).count(FORMS) == 2
