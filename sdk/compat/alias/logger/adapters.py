"""The loggers themselves."""

from __future__ import annotations

from typing import Any, Final

from sdk.compat.migration_hints import refusing
from sdk.logger import BlockLogger, LoggerLike, block_logger

from .base import BaseLogger, ContextualLogger

# What the standard library's methods take. All other arguments are for the braces of the message.
_STANDARD: Final = frozenset({"exc_info", "extra", "stack_info", "stacklevel"})


class StdlibContextualLogger(BlockLogger):
    """A logger that fills in messages by `%`, as the standard library does."""


class LoguruContextualLogger(BlockLogger):
    """A logger that fills in messages by braces (`"{} of {total}"`), as loguru does. It does not use loguru."""

    def log(self, level: int, msg: object, /, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Log `msg` with its arguments filled in. Named arguments also go on the record, whatever their names."""
        standard = {name: kwargs.pop(name) for name in list(kwargs) if name in _STANDARD}
        extra = {**(standard.pop("extra", None) or {}), "context": {**self.get_context(), **kwargs}}
        # By "%s", because the text itself may hold percent signs.
        self.logger.log(level, "%s", _filled_in(str(msg), args, kwargs), extra=extra, **standard)

    def with_context(self, **context: Any) -> LoguruContextualLogger:
        """A logger that adds `context` to what this one adds. This one does not change."""
        return LoguruContextualLogger(self.logger, {**self.get_context(), **context})


def logger_for(owner: object, logger: LoggerLike | BaseLogger | None = None, **context: Any) -> Any:
    """A logger for `owner`, an instance: on top of `logger` and its context, or with the name of the owner's class.

    An author's own `BaseLogger` is returned itself, because a test may look into it. It gets the context if it takes
    one.
    """
    cls = type(owner)
    if isinstance(logger, BaseLogger) and not isinstance(logger, BlockLogger):
        return logger.with_context(**context) if context and isinstance(logger, ContextualLogger) else logger
    base = block_logger(f"{cls.__module__}.{cls.__qualname__}", logger)
    return LoguruContextualLogger(base.logger, {"class": cls.__name__, **base.get_context(), **context})


def _filled_in(message: str, args: tuple[Any, ...], named: dict[str, Any]) -> str:
    if not (args or named):
        return message
    try:
        return message.format(*args, **named)
    except (IndexError, KeyError, ValueError, AttributeError, TypeError):
        # The braces have another purpose, for example in JSON; or the message uses "%".
        return _by_percent(message, args)


def _by_percent(message: str, args: tuple[Any, ...]) -> str:
    try:
        return message % args if args else message
    except (TypeError, ValueError):
        return message


__getattr__ = refusing(__name__)
