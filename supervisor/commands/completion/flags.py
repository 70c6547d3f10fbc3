"""The commands and their flags, from the parsers that read them."""

import argparse
import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_settings import BaseSettings

from supervisor.cli import COMMANDS, module_of
from supervisor.settings.command_line import parser_of
from supervisor.settings.run_settings import DaemonSettings


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `metavar` stands for its value, empty if it takes none; `values` are all allowed ones, if listed."""

    names: tuple[str, ...]
    metavar: str
    values: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class CommandFlags:
    """A command; without a name, the daemon. `arguments` come after it besides flags."""

    name: str
    summary: str
    description: str
    arguments: tuple[str, ...]
    flags: tuple[Flag, ...]


def all_commands() -> Iterator[CommandFlags]:
    """Yield the daemon, and each command in the order of the help."""
    yield _of(
        "", "claim jobs from a neops workflow engine and run them", parser_of(DaemonSettings, "supervisor")
    )
    for name, summary in COMMANDS.items():
        yield _of(name, summary, _parser(name))


def _parser(name: str) -> argparse.ArgumentParser:
    module = importlib.import_module(module_of(name))
    # A command in a folder may have its settings in a file of their own there.
    folder = f"{module.__package__}." if module.__name__.endswith(".command") else module.__name__
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__.startswith(folder)
    ]
    if models:
        return parser_of(models[-1], f"supervisor {name}")
    parser: argparse.ArgumentParser = module._parser()
    return parser


def _of(name: str, summary: str, parser: argparse.ArgumentParser) -> CommandFlags:
    actions = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    arguments = tuple(_metavar(action) for action in actions if not action.option_strings)
    flags = tuple(_flag(action) for action in actions if action.option_strings)
    return CommandFlags(name, summary, parser.description or "", arguments, flags)


def _flag(action: argparse.Action) -> Flag:
    metavar = "" if action.nargs == 0 else _metavar(action)
    values = tuple(map(str, action.choices)) if action.choices else ()
    if metavar.startswith("{"):  # pydantic-settings writes the values of a Literal like this
        values = tuple(metavar.strip("{}").split(","))
    if isinstance(action, argparse.BooleanOptionalAction):
        metavar = ""
    return Flag(tuple(action.option_strings), metavar, values, " ".join((action.help or "").split()))


def _metavar(action: argparse.Action) -> str:
    given = action.metavar if isinstance(action.metavar, str) else None
    return given or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
