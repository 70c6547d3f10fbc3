"""The commands of the pages that are only shown: their flags exist, and their values can be read."""

import argparse
import contextlib
import importlib
import io
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_pages import all_pages, blocks_of
from pydantic import ValidationError

from docs.tools.commands_page import settings_of
from supervisor.cli import COMMANDS, module_of
from supervisor.settings.command_line import parse
from supervisor.settings.run_settings import DaemonSettings

_SHELL = {"console", "sh"}
_FILES = re.compile(
    r"(--(?:engine-token-file|health-token-file|engine-ca-file|engine-client-\w+|known-hosts))[ =]\S+"
)


def commands_of(page: Path) -> Iterator[str]:
    """Yield the lines of a page's shell blocks, and the commands in its sentences, that begin with `supervisor`."""
    text = page.read_text(encoding="utf-8")
    for block in blocks_of(page):
        if block.language in _SHELL:
            for line in block.text.replace("\\\n", " ").splitlines():
                if block.language == "console" and "$ " in block.text and not line.startswith("$ "):
                    continue  # output
                yield line.removeprefix("$ ").partition("  #")[0]
    yield from re.findall(r"`(supervisor [a-z][^`]*)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


SHOWN = sorted(
    {
        command.strip()
        for page in all_pages()
        for command in commands_of(page)
        if command.startswith("supervisor ") and "…" not in command
    }
)


def words_of(command: str) -> list[str]:
    """Return the words of a command line up to what a shell takes for itself: a pipe, another command, a file."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(itertools.takewhile(lambda word: word[0] not in "|&;<>", lexer))


def test_there_are_commands_to_look_at() -> None:
    assert len(SHOWN) > 20


@pytest.mark.parametrize("command", SHOWN)
def test_each_command_that_is_shown_has_flags_that_exist(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = words_of(_FILES.sub("", command))[1:]
    name = words[0] if words and words[0] in COMMANDS else None
    problem = _problem(name, words if name is None else words[1:])
    assert problem is None, f"{command}: {problem}"


def _problem(name: str | None, words: list[str]) -> str | None:
    """Say what a command's parser has against these words; `None` if nothing."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            _parse(name, words)
        except SystemExit as end:
            return said.getvalue() if end.code and "are required" not in said.getvalue() else None
        except ValidationError as error:
            # What is missing is not what is asked here: a sentence names a command without all that it needs.
            wrong = [each for each in error.errors() if each["type"] != "missing"]
            return str(error) if wrong else None
    return None


def _parse(name: str | None, words: list[str]) -> None:
    module = importlib.import_module(module_of(name or "daemon"))
    model = DaemonSettings if name is None else settings_of(module)
    if model is not None:
        parse(model, words, "supervisor")
        return
    parser: argparse.ArgumentParser = module._parser()
    if words:
        parser.parse_args(words)


def test_a_flag_that_does_not_exist_is_found() -> None:
    assert _problem(None, ["--engine-url", "http://engine:3030", "--no-such-flag", "1"]) is not None
