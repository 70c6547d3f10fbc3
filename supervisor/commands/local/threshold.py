"""Which lines of the worker's log are shown: those that the worker's own log settings would show."""

from collections.abc import Mapping

from supervisor.commands.local.worker_lines import LEVELS, Line
from supervisor.settings.run_settings import RunSettings


class Threshold:
    """The level of the log and of single loggers. They change when settings are read again."""

    def __init__(self, level: int, levels: Mapping[str, int] | None = None) -> None:
        self._level = level
        self._levels = dict(levels or {})

    @classmethod
    def of(cls, settings: RunSettings) -> "Threshold":
        """Return the threshold of these settings."""
        return cls(settings.log_level_number, settings.log_level_numbers)

    def follow(self, settings: RunSettings) -> None:
        """From now on, use the levels of these settings."""
        self._level, self._levels = settings.log_level_number, settings.log_level_numbers

    def lets_through(self, line: Line) -> bool:
        """Whether to show a line. Other output is always shown: a worker that dies says why in it."""
        return not line.time or LEVELS.get(line.level, 0) >= self._level_of(line.logger)

    def _level_of(self, logger: str) -> int:
        name = logger
        while name:
            if name in self._levels:
                return self._levels[name]
            name = name.rpartition(".")[0]
        return self._level
