"""The worker's command line, made from the arguments of the command that runs it."""

from collections.abc import Container
from typing import Any, Final

from pydantic_settings import BaseSettings, CliSettingsSource

from supervisor.settings.run_settings import DaemonSettings

_OWN: Final = frozenset({"engine_url", "state_dir", "log_format"})
"""Settings of the worker that every such command decides, whatever the arguments are."""


def given_to_the_worker(
    model: type[BaseSettings], arguments: list[str], decided: Container[str] = ()
) -> list[str]:
    """Return those of `arguments` that are settings of the worker, as its own flags, without the `decided` ones.

    Only arguments of the command line: the worker reads environment and `.env` itself, and reads them again at a
    reload. Flags would override them.
    """
    flags: list[str] = []
    for name, value in on_the_command_line(model, arguments).items():
        if name in DaemonSettings.model_fields and name not in _OWN and name not in decided:
            flags += flag(name, value)
    return flags


def on_the_command_line(model: type[BaseSettings], arguments: list[str]) -> dict[str, Any]:
    """Return the settings of `model` that `arguments` give, exactly as given. They must be valid."""
    source: CliSettingsSource[Any] = CliSettingsSource(model, cli_parse_args=arguments)
    return source()


def flag(name: str, value: object) -> list[str]:
    """Return a setting as words of a command line."""
    word = "--" + name.replace("_", "-")
    if isinstance(value, bool) or str(value).lower() in ("true", "false"):
        return [word if str(value).lower() == "true" else word.replace("--", "--no-", 1)]
    if isinstance(value, list):
        return [word, ",".join(map(str, value))]
    return [word, str(value)]
