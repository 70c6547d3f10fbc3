"""The other package logs by loguru to stdout, coloured. In a job its records become log records of this worker."""

from __future__ import annotations

import sys
from typing import Any

from sdk.logger import BlockLogger


def send_logs_to(logger: BlockLogger) -> None:
    """Have what loguru is given in this process go to `logger`, with its level and its context.

    For a child that runs one job, as it takes loguru's other places away. Does nothing where loguru is not loaded.
    """
    loguru: Any = sys.modules.get("loguru")
    if loguru is None:
        return

    def sink(message: Any) -> None:
        record = message.record
        error = record["exception"]
        logger.with_context(**record["extra"]).log(
            record["level"].no,
            "%s",
            record["message"],
            exc_info=(error.type, error.value, error.traceback) if error else None,
        )

    loguru.logger.remove()
    loguru.logger.add(sink, level=0, format="{message}")
