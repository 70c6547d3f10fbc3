"""The worker's own log: one line for each event on stderr, written by a thread so that the loop never waits."""

import logging
import logging.handlers
import queue
import sys
from collections.abc import Mapping
from typing import Final, Literal

from supervisor.log.format import JsonLine, TextLine

LogFormat = Literal["text", "indented", "json", "auto"]

_NOISY: Final = ("asyncio", "aiohttp", "urllib3")
_names_with_a_level: set[str] = set()


def start_logging(
    level: int, levels: Mapping[str, int] | None = None, log_format: LogFormat = "text"
) -> logging.handlers.QueueListener:
    """Log to stderr from now on. Stop the returned listener at the end, so that the last lines are written."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log_format))
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    root = logging.getLogger()
    root.handlers[:] = [_Enqueue(lines)]
    set_level(level, levels or {})
    listener = logging.handlers.QueueListener(lines, handler)
    listener.start()
    return listener


def _formatter(log_format: LogFormat) -> logging.Formatter:
    on_terminal = sys.stderr.isatty()
    if log_format == "json" or (log_format == "auto" and not on_terminal):
        return JsonLine()
    return TextLine(indent=on_terminal or log_format == "indented")


def set_level(level: int, levels: Mapping[str, int]) -> None:
    """Log from this level on, and single loggers from ``levels`` on; what was set for others before is void."""
    logging.getLogger().setLevel(level)
    for name in _names_with_a_level:
        logging.getLogger(name).setLevel(logging.NOTSET)
    # Requests are this worker's daily bread; what matters of them is said by the worker itself.
    wanted = {noisy: max(level, logging.WARNING) for noisy in _NOISY} | dict(levels)
    for name, own_level in wanted.items():
        logging.getLogger(name).setLevel(own_level)
    _names_with_a_level.update(wanted)


class _Enqueue(logging.handlers.QueueHandler):
    """Hands records over as they are: they stay in this process, and formatting is the writer's work."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Resolve the arguments now: they may change before the thread gets to them."""
        record.msg = record.getMessage()
        record.args = None
        return record
