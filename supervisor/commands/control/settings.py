"""What every command that asks a running worker must know: where that worker is, and how to print the answer."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from supervisor.commands.shared.command_settings import OnlyThese
from supervisor.lifecycle.intake import LONGEST_NOTE_CHARS
from supervisor.settings.command_line import MAY_BE_EMPTY
from supervisor.settings.env_file import EnvFileSource
from supervisor.settings.run_settings import RunSettings

_LIKE_THE_DAEMON = frozenset({"state_dir", "runtime_dir"})


def _checked_note(note: str) -> str:
    if len(note) > LONGEST_NOTE_CHARS:
        raise ValueError(f"may have {LONGEST_NOTE_CHARS} characters, and this one has {len(note)}")
    return note


NOT_ON_DISK = (
    "  not on the disk yet, which does not take it: a worker that is killed now comes back as it was before"
)
"""Printed for a pause, a drain or their end if the answer has `on_disk` false."""

Note = Annotated[str, AfterValidator(_checked_note), MAY_BE_EMPTY]
"""Why somebody keeps jobs away. A note that is too long is refused before a worker is asked."""


class ControlSettings(BaseSettings):
    """Base of the settings of such a command."""

    model_config = SettingsConfigDict(**RunSettings.model_config)

    state_dir: Path | None = Field(
        default=None,
        description="The state directory of the worker, or of `supervisor local`. Default: their usual directories.",
    )
    runtime_dir: Path | None = Field(
        default=None,
        description="The directory of the worker's control socket. Default: systemd's RuntimeDirectory, otherwise "
        "`run` in the state directory.",
    )
    as_json: bool = Field(default=False, alias="json", description="Print JSON, for programs.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: Any,
        **named: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first; of environment and `.env` only where the worker is, in the same way as the daemon."""
        environment = named.get("env_settings") or others[0]
        beside = (environment, EnvFileSource(settings_cls))
        return (init_settings, *(OnlyThese(settings_cls, source, _LIKE_THE_DAEMON) for source in beside))
