"""The worker's command line, from what was given to the command that runs it."""

from collections.abc import Container
from typing import Any, Final

from pydantic_settings import BaseSettings, CliSettingsSource

from supervisor.settings.run_settings import DaemonSettings

_OWN: Final = frozenset({"engine_url", "state_dir", "log_format"})
"""Settings of the worker that every such command decides, whatever was given."""


def given_to_the_worker(
    model: type[BaseSettings], arguments: list[str], decided: Container[str] = ()
) -> list[str]:
    """Return those of `arguments` that are settings of the worker, as its own flags; but for `decided` ones.

    Only what stands on the command line: environment and `.env` are read by the worker itself, and read anew by it
    at a reload, which flags would overrule.
    """
    flags: list[str] = []
    for name, value in on_the_command_line(model, arguments).items():
        if name in DaemonSettings.model_fields and name not in _OWN and name not in decided:
            flags += flag(name, value)
    return flags


def on_the_command_line(model: type[BaseSettings], arguments: list[str]) -> dict[str, Any]:
    """Return the settings of `model` that `arguments` give, which must be right, as they stand there."""
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
