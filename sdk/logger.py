"""The logger of a block: the standard library's, plus a context on each record."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any


class BlockLogger(logging.LoggerAdapter[logging.Logger]):
    """A `logging.LoggerAdapter` with `with_context`.

    Each record gets the context as `record.context`, a dict. The message itself is not changed: the code that
    formats the record decides how to show the context.
    """

    def __init__(self, logger: logging.Logger, context: dict[str, Any] | None = None) -> None:
        super().__init__(logger, dict(context or {}))
        self._context = dict(context or {})

    def with_context(self, **context: Any) -> BlockLogger:
        """A logger that adds `context` to what this one adds. This one does not change."""
        return BlockLogger(self.logger, {**self._context, **context})

    def get_context(self) -> dict[str, Any]:
        """A copy of the context."""
        return dict(self._context)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the context to a record, and keep an `extra` of the caller."""
        # LoggerAdapter.process would replace the caller's extra (before 3.13 there is no merge_extra).
        kwargs["extra"] = {**(kwargs.get("extra") or {}), "context": self.get_context()}
        return msg, kwargs


LoggerLike = logging.Logger | logging.LoggerAdapter[Any]


def block_logger(owner: str, logger: LoggerLike | None = None) -> BlockLogger:
    """A `BlockLogger` on top of `logger`, or on the standard logger named `owner`."""
    if logger is None:
        return BlockLogger(logging.getLogger(owner))
    if isinstance(logger, BlockLogger):
        return logger
    if isinstance(logger, logging.Logger):
        return BlockLogger(logger)
    # An adapter may wrap another one. Its extra is what it would have added to each record.
    return block_logger(owner, logger.logger).with_context(**dict(logger.extra or {}))
