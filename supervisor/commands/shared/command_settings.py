"""Settings of a command that runs once: what the daemon's commands share, and arguments of its own."""

from collections.abc import Container
from typing import Any, ClassVar, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from supervisor.settings.env_file import EnvFileSource
from supervisor.settings.run_settings import RunSettings

EXIT_INTERRUPTED: Final = 130
"""What a shell expects of a command that a Ctrl-C has ended."""


class CommandSettings(RunSettings):
    """Base of such settings. What a subclass adds comes from the command line alone.

    A variable that happens to be called JSON, or a NEOPS_BLOCK in some `.env`, must not decide what is run.
    """

    ALSO_FROM_ENVIRONMENT: ClassVar[frozenset[str]] = frozenset()
    """Settings of the subclass that the daemon has as well, and that come from where the daemon's do."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use the sources of `RunSettings`, for the settings of `RunSettings` and those named beside them."""
        sources = super().settings_customise_sources(settings_cls, *args, **kwargs)
        names = cls.ALSO_FROM_ENVIRONMENT.union(RunSettings.model_fields)
        return tuple(OnlyThese(settings_cls, source, names) for source in sources)


class OnlyThese(PydanticBaseSettingsSource):
    """Another source, for the settings in `names` alone."""

    def __init__(
        self, settings_cls: type[BaseSettings], source: PydanticBaseSettingsSource, names: Container[str]
    ) -> None:
        super().__init__(settings_cls)
        self._source = source
        self._names = names

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what the other source has."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return what the other source has of these settings."""
        return {name: value for name, value in self._source().items() if name in self._names}


class StateDirectorySettings(BaseSettings):
    """Base of the settings of a command that looks at a worker's state directory, and needs no worker."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first; of environment and `.env`, only the state directory, as the daemon reads it."""
        beside = (env_settings, EnvFileSource(settings_cls))
        return (init_settings, *(OnlyThese(settings_cls, source, {"state_dir"}) for source in beside))
