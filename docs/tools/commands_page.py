"""The page of the command line, from the settings and parsers that the commands themselves read."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from docs.tools.setting_text import cell, default_of, flag_of, word_of
from supervisor.cli import COMMAND_GROUPS, module_of
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings

_HEAD = f"""# Command line

<!-- Written by `make docs` from what the commands read; changes here are lost. -->

`supervisor` without a command is the daemon. Every command has its own `--help`. You can give the daemon's settings in
the environment as `{ENV_PREFIX}` + the name, or in a file `.env`; a flag goes before both. The same holds for
settings that a command shares with the daemon."""


def render_commands() -> str:
    """Return the page as Markdown.

    Raises:
        LookupError: a command has neither a settings model nor a parser.
    """
    parts = [_HEAD, "## `supervisor`", f"{_told(DaemonSettings)} Its flags: [settings](settings.md)."]
    for title, commands in COMMAND_GROUPS.items():
        parts += [f"## {title}"]
        for name in commands:
            parts += [f"### `supervisor {name}`", *_command(name)]
    return "\n\n".join(parts) + "\n"


def _command(name: str) -> Iterator[str]:
    module = importlib.import_module(module_of(name))
    if (model := settings_of(module)) is not None:
        yield from _settings(model)
        if epilog := getattr(module, "_EPILOG", ""):
            yield f"```text\n{epilog}\n```"
    elif parser := getattr(module, "_parser", None):
        yield _help(parser())
    else:
        raise LookupError(f"`supervisor {name}` has neither settings nor a parser to be described by")


def settings_of(module: ModuleType) -> type[BaseSettings] | None:
    """Return the settings that a command's module reads: its own, or those of its folder."""
    folder = f"{module.__package__}." if module.__name__.endswith(".command") else module.__name__
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__.startswith(folder)
    ]
    return models[-1] if models else None


def _help(parser: argparse.ArgumentParser) -> str:
    # A width of its own: that of the terminal must not decide what is committed.
    narrow: Any = partial(argparse.HelpFormatter, width=100)
    parser.formatter_class = narrow
    return f"```text\n{parser.format_help().rstrip()}\n```"


def _settings(model: type[BaseSettings]) -> Iterator[str]:
    yield _told(model)
    shared = {name for name, field in model.model_fields.items() if _is_the_daemons(model, name, field)}
    own = {name: field for name, field in model.model_fields.items() if name not in shared}
    rows = [
        f"| {flag_of(name, field)} | {default_of(field)} | {cell(field.description or '')} |"
        for name, field in own.items()
    ]
    yield "\n".join(["| | default | |", "|---|---|---|", *rows])
    if shared:
        yield "As for the daemon: " + ", ".join(f"`{word_of(name)}`" for name in sorted(shared)) + "."


def _told(model: type[BaseSettings]) -> str:
    return " ".join((model.__doc__ or "").split())


def _is_the_daemons(model: type[BaseSettings], name: str, field: FieldInfo) -> bool:
    theirs = DaemonSettings.model_fields.get(name)
    return model is not DaemonSettings and theirs is not None and theirs.description == field.description
