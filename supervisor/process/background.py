"""Work that nobody awaits: how it fails is told all the same."""

import asyncio
import logging
from typing import Any


def failure_of(task: "asyncio.Future[Any]") -> BaseException | None:
    """Return the exception that has ended ``task``, which is done; `None` where it was cancelled, too."""
    return None if task.cancelled() else task.exception()


def tell_failure(task: "asyncio.Task[Any]", logger: logging.Logger, what: str) -> None:
    """Log the exception that has ended ``task``, if one has. To be called when it is done."""
    if (error := failure_of(task)) is not None:
        logger.error("%s failed unexpectedly. The worker goes on.", what, exc_info=error)
