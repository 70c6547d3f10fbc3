"""Reads settings from the command line, the environment and `.env`."""

import argparse
import inspect
import re
from functools import partial
from typing import Any, Final, TypeVar, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, CliSettingsSource

from supervisor.settings.command_parser import CommandParser, UnknownFlagsError
from supervisor.settings.flag_help import LineFormatter, add_argument
from supervisor.settings.problems import positional_of

MAY_BE_EMPTY: Final = "may be empty"
"""In the metadata of a setting: on the command line, an empty text is a valid value."""

_BREAK_IN_A_PARAGRAPH: Final = re.compile(r"(?<!\n)\n(?![\n ])")
SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def parse(model: type[SettingsT], arguments: list[str], program: str, epilog: str = "") -> SettingsT:
    """Read `model` from flags, environment and `.env`.

    Exits with status 2 and a line for each unknown flag, and with 0 after `--help`, which ends with `epilog`.
    Raises `pydantic.ValidationError`, and `UnknownFlagsError` if there are both unknown flags and wrong values.
    """
    parser = _empty_parser(model, program, epilog)
    source = _source(model, parser, arguments)
    given: dict[str, Any] = {"_cli_settings_source": source}  # pydantic-settings takes it only this way
    try:
        settings = model(**given)
    except ValidationError as error:
        if not parser.unknown:
            raise
        # If a setting is missing, the unknown flag was most likely meant to give it.
        found = error.errors(include_url=False, include_input=False)
        if wrong := [problem for problem in found if problem["type"] != "missing"]:
            raise UnknownFlagsError(parser.unknown, wrong) from None
        parser.refuse_unknown()
    if parser.unknown:
        parser.refuse_unknown()
    return settings


def parser_of(model: type[BaseSettings], program: str) -> argparse.ArgumentParser:
    """Return the parser of these settings with all their flags, for code that describes them. It has parsed nothing."""
    parser = _empty_parser(model, program, "")
    _source(model, parser, None)
    return parser


def _empty_parser(model: type[BaseSettings], program: str, epilog: str) -> CommandParser:
    return CommandParser(
        prog=program,
        usage=_usage(model, program),
        description=_BREAK_IN_A_PARAGRAPH.sub(" ", inspect.cleandoc(model.__doc__ or "")),
        epilog=epilog,
        formatter_class=LineFormatter,
        keep_unknown=True,
        may_be_empty={
            "--" + name.replace("_", "-")
            for name, field in model.model_fields.items()
            if MAY_BE_EMPTY in field.metadata
        },
    )


def _source(
    model: type[BaseSettings], parser: CommandParser, arguments: list[str] | None
) -> CliSettingsSource[Any]:
    return CliSettingsSource(
        model,
        root_parser=parser,
        cli_parse_args=arguments,
        add_argument_method=partial(
            add_argument, getattr(model, "HIDDEN_FLAGS", frozenset()), _groups(model, parser)
        ),
    )


def _groups(model: type[BaseSettings], parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the group of each setting that has one. In the help they stand in this order."""
    titles: dict[str, tuple[str, ...]] = getattr(model, "FLAG_GROUPS", {})
    made = {title: parser.add_argument_group(title) for title in titles}
    return {name: made[title] for title, names in titles.items() for name in names}


def _usage(model: type[BaseSettings], program: str) -> str | None:
    """Return the usage of a command with many flags, whose names would fill a screen; `None` for argparse's."""
    if not hasattr(model, "FLAG_GROUPS"):
        return None
    places = [
        _place(name, field) for name, field in model.model_fields.items() if name in positional_of(model)
    ]
    other: str | None = getattr(model, "OTHER_USAGE", None)
    also = f"\n       {program} {other}" if other else ""
    return " ".join((program, "[FLAG ...]", *places)) + also


def _place(name: str, field: FieldInfo) -> str:
    word = name.upper() + (" ..." if get_origin(field.annotation) is list else "")
    return word if field.is_required() else f"[{word}]"
