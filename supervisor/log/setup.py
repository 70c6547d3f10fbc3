"""The worker's own log: one line for each event on stderr. A thread writes it, so the loop never waits."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Final, Literal

from supervisor.log.format import JsonLine, PrefixedLine, TextLine
from supervisor.log.writer import LogWriter

LogFormat = Literal["text", "indented", "json", "auto"]

_NOISY: Final = ("asyncio", "aiohttp", "urllib3")
_names_with_a_level: set[str] = set()


def start_logging(
    level: int, levels: Mapping[str, int] | None = None, log_format: LogFormat = "text"
) -> LogWriter:
    """Log to stderr from now on. Stop the returned writer at the end, so that the last lines are written."""
    formatter = _formatter(log_format)
    descriptor = sys.stderr.fileno()
    if is_read_by_journald(descriptor):
        formatter = PrefixedLine(formatter)
    writer = LogWriter(descriptor, formatter)
    root = logging.getLogger()
    root.handlers[:] = [writer]
    set_level(level, levels or {})
    writer.start()
    return writer


def is_read_by_journald(descriptor: int) -> bool:
    """Whether systemd has connected this descriptor with its journal (systemd.exec(5): JOURNAL_STREAM)."""
    if not (stream := os.environ.get("JOURNAL_STREAM")):
        return False
    status = os.fstat(descriptor)
    return stream == f"{status.st_dev}:{status.st_ino}"


def _formatter(log_format: LogFormat) -> logging.Formatter:
    on_terminal = sys.stderr.isatty()
    if log_format == "json" or (log_format == "auto" and not on_terminal):
        return JsonLine()
    return TextLine(indent=on_terminal or log_format == "indented")


def set_level(level: int, levels: Mapping[str, int]) -> None:
    """Log from this level on, and single loggers from `levels` on. This replaces earlier levels of other loggers."""
    logging.getLogger().setLevel(level)
    for name in _names_with_a_level:
        logging.getLogger(name).setLevel(logging.NOTSET)
    # Requests are this worker's routine; the worker itself logs what matters about them.
    wanted = {noisy: max(level, logging.WARNING) for noisy in _NOISY} | dict(levels)
    for name, own_level in wanted.items():
        logging.getLogger(name).setLevel(own_level)
    _names_with_a_level.update(wanted)
