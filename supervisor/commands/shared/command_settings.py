"""Settings of a command that runs once: those that it shares with the daemon, and its own arguments."""

from collections.abc import Container
from typing import Any, ClassVar, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from supervisor.settings.env_file import EnvFileSource
from supervisor.settings.run_settings import RunSettings

EXIT_INTERRUPTED: Final = 130
"""The exit code that a shell expects of a command that a Ctrl-C has ended."""


class CommandSettings(RunSettings):
    """Base of such settings. A subclass's own settings come only from the command line.

    A variable that happens to be called JSON, or a NEOPS_BLOCK in some `.env`, must not decide what is run.
    """

    ALSO_FROM_ENVIRONMENT: ClassVar[frozenset[str]] = frozenset()
    """Settings of the subclass that the daemon has as well. They come from the same sources as the daemon's."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use the sources of `RunSettings` for its own settings and for those named above."""
        sources = super().settings_customise_sources(settings_cls, *args, **kwargs)
        names = cls.ALSO_FROM_ENVIRONMENT.union(RunSettings.model_fields)
        return tuple(OnlyThese(settings_cls, source, names) for source in sources)


class OnlyThese(PydanticBaseSettingsSource):
    """Another source, but only for the settings in `names`."""

    def __init__(
        self, settings_cls: type[BaseSettings], source: PydanticBaseSettingsSource, names: Container[str]
    ) -> None:
        super().__init__(settings_cls)
        self._source = source
        self._names = names

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the other source's value."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return the other source's values of these settings."""
        return {name: value for name, value in self._source().items() if name in self._names}


class StateDirectorySettings(BaseSettings):
    """Base of the settings of a command that reads a worker's state directory, and needs no worker."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first; of environment and `.env` only the state directory, in the same way as the daemon."""
        beside = (env_settings, EnvFileSource(settings_cls))
        return (init_settings, *(OnlyThese(settings_cls, source, {"state_dir"}) for source in beside))
