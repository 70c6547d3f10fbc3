"""Which lines of the worker's log are shown: those that its settings of the log would have let through."""

from collections.abc import Mapping

from supervisor.commands.local.worker_lines import LEVELS, Line
from supervisor.settings.run_settings import RunSettings


class Threshold:
    """The level of the log and those of single loggers. They change when settings are read anew."""

    def __init__(self, level: int, levels: Mapping[str, int] | None = None) -> None:
        self._level = level
        self._levels = dict(levels or {})

    @classmethod
    def of(cls, settings: RunSettings) -> "Threshold":
        """Return the one that these settings ask for."""
        return cls(settings.log_level_number, settings.log_level_numbers)

    def follow(self, settings: RunSettings) -> None:
        """Let through from now on what these settings ask for."""
        self._level, self._levels = settings.log_level_number, settings.log_level_numbers

    def lets_through(self, line: Line) -> bool:
        """Whether a line is to be shown. What is none of the log's is: a worker that dies says why in such lines."""
        return not line.time or LEVELS.get(line.level, 0) >= self._level_of(line.logger)

    def _level_of(self, logger: str) -> int:
        name = logger
        while name:
            if name in self._levels:
                return self._levels[name]
            name = name.rpartition(".")[0]
        return self._level
