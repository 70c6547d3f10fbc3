"""The other package logs by loguru to stdout, in colour. In a job its records become log records of this worker."""

from __future__ import annotations

import sys
from typing import Any

from sdk.logger import BlockLogger


def send_logs_to(logger: BlockLogger) -> None:
    """Send what this process gives to loguru to `logger`, with its level and context.

    Only for a child that runs one job: it removes loguru's other outputs. Does nothing if loguru is not loaded.
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
