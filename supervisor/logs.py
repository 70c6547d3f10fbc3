"""The worker's own log: one line for each event on stderr, written by a thread so that the loop never waits."""

import logging
import logging.handlers
import queue
import re
import sys

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def printable(text: str) -> str:
    """Return ``text`` with its control characters escaped, line breaks and tabs apart.

    A job's text must not repaint a terminal, nor make a log file binary.
    """
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class _OneLine(logging.Formatter):
    """Puts job and block in front, and keeps what has several lines together by indenting the rest."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        text = printable(super().format(record))
        text = text.replace("\n", "\n    ")
        job = getattr(record, "job", None)
        if job is None:
            return text
        stream = getattr(record, "stream", None)
        label = f"[job={job} block={record.__dict__.get('block')}{f' {stream}' if stream else ''}] "
        head, separator, message = text.partition(f"{record.name}: ")
        return head + separator + label + message


def start_logging(level: int) -> logging.handlers.QueueListener:
    """Log to stderr from now on. Stop the returned listener at the end, so that the last lines are written."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(_FORMAT))
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    root = logging.getLogger()
    root.handlers[:] = [_Enqueue(lines)]
    set_level(level)
    listener = logging.handlers.QueueListener(lines, handler)
    listener.start()
    return listener


def set_level(level: int) -> None:
    """Log from this level on."""
    logging.getLogger().setLevel(level)
    # Requests are this worker's daily bread; what matters of them is said by the worker itself.
    for noisy in ("asyncio", "aiohttp", "urllib3"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


class _Enqueue(logging.handlers.QueueHandler):
    """Hands records over as they are: they stay in this process, and formatting is the writer's work."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Resolve the arguments now: they may change before the thread gets to them."""
        record.msg = record.getMessage()
        record.args = None
        return record
