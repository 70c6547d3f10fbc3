"""The page of the command line, from the settings and parsers that the commands themselves read."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, CliPositionalArg

from supervisor.cli import COMMAND_GROUPS, module_of
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings

_POSITIONAL = get_args(CliPositionalArg[str])[1]
_HEAD = f"""# Command line

<!-- Written by `make docs` from what the commands read; changes here are lost. -->

`supervisor` without a command is the daemon. Every command has its own `--help`. Settings of the daemon, and those
that a command shares with it, can be given in the environment as `{ENV_PREFIX}` + the name, or in a file `.env`; a flag
goes before both."""


def render_commands() -> str:
    """Return the page as Markdown.

    Raises:
        LookupError: a command has neither a settings model nor a parser.
    """
    parts = [_HEAD, "## `supervisor`", *_settings(DaemonSettings)]
    for title, commands in COMMAND_GROUPS.items():
        parts += [f"## {title}"]
        for name in commands:
            parts += [f"### `supervisor {name}`", *_command(name)]
    return "\n\n".join(parts) + "\n"


def _command(name: str) -> Iterator[str]:
    module = importlib.import_module(module_of(name))
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]
    if models:
        yield from _settings(models[-1])
    elif parser := getattr(module, "_parser", None):
        yield _help(parser())
    else:
        raise LookupError(f"`supervisor {name}` has neither settings nor a parser to be described by")
    if models and (epilog := getattr(module, "_EPILOG", "")):
        yield f"```text\n{epilog}\n```"


def _help(parser: argparse.ArgumentParser) -> str:
    # A width of its own: that of the terminal must not decide what is committed.
    narrow: Any = partial(argparse.HelpFormatter, width=100)
    parser.formatter_class = narrow
    return f"```text\n{parser.format_help().rstrip()}\n```"


def _settings(model: type[BaseSettings]) -> Iterator[str]:
    yield " ".join((model.__doc__ or "").split())
    shared = {name for name, field in model.model_fields.items() if _is_the_daemons(model, name, field)}
    own = {name: field for name, field in model.model_fields.items() if name not in shared}
    rows = [
        f"| {_flag(name, field)} | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in own.items()
    ]
    yield "\n".join(["| | default | |", "|---|---|---|", *rows])
    if shared:
        yield "As for the daemon: " + ", ".join(f"`{_word(name)}`" for name in sorted(shared)) + "."


def _is_the_daemons(model: type[BaseSettings], name: str, field: FieldInfo) -> bool:
    theirs = DaemonSettings.model_fields.get(name)
    return model is not DaemonSettings and theirs is not None and theirs.description == field.description


def _word(name: str) -> str:
    return "--" + name.replace("_", "-")


def _flag(name: str, field: FieldInfo) -> str:
    if _POSITIONAL in field.metadata:
        return f"`{name.upper()}`"
    word = _word(field.alias or name)
    if field.annotation is bool:
        return f"`{word}`"
    return f"`{word} {_value(field.annotation)}`"


def _value(annotation: Any) -> str:
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not type(None)]
    if get_origin(annotation) is Literal:
        return "\\|".join(map(str, kinds))
    if get_origin(annotation) is list:
        return "LIST"
    literal = next((kind for kind in kinds if get_origin(kind) is Literal), None)
    if literal is not None:
        return "\\|".join(map(str, get_args(literal)))
    return {"int": "NUMBER", "float": "NUMBER", "Path": "PATH"}.get(getattr(kinds[0], "__name__", ""), "TEXT")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value is PydanticUndefined or value == "" or value == [] or value is False:
        return ""
    if isinstance(value, list):
        return f"`{','.join(map(str, value))}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
