"""The methods of a logger."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sdk.compat.migration_hints import refusing
from sdk.logger import BlockLogger


class BaseLogger(ABC):
    """The methods of a logger. A block's own logger is one of these."""

    @abstractmethod
    def debug(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log a detail for a person who looks for a fault."""

    @abstractmethod
    def info(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log what happens."""

    @abstractmethod
    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log what may be wrong."""

    @abstractmethod
    def error(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log what is wrong."""

    @abstractmethod
    def critical(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log an error after which the work can't go on."""

    @abstractmethod
    def exception(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log an error with the exception that is being handled."""


class ContextualLogger(BaseLogger, ABC):
    """A logger whose records carry a context."""

    @abstractmethod
    def with_context(self, **context: Any) -> ContextualLogger:
        """A logger that adds `context` to what this one adds."""

    @abstractmethod
    def get_context(self) -> dict[str, object]:
        """A copy of the context."""


# This SDK's logger has all of these methods, and comes first. So a worker's logger is a `BaseLogger`, whichever
# package made it.
ContextualLogger.register(BlockLogger)

__getattr__ = refusing(__name__)
