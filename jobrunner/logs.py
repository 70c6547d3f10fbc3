"""Sends log records of a block as frames to the supervisor, which decides where they go."""

import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping

from jobrunner.channel import Channel
from jobrunner.discovery.module import module_name, private_packages
from jobrunner.log_fields import FieldValue, fields_of
from jobrunner.protocol.caps import LOG_CAP_CHARS, LOGGER_CAP_CHARS
from jobrunner.protocol.encodable import encodable
from jobrunner.protocol.messages import Log, Order
from jobrunner.uncaught import tell_uncaught_in_threads, wrong_call


class FrameHandler(logging.Handler):
    """Sends each record at once: records from before a crash or a kill are not lost."""

    def __init__(self, channel: Channel, known: Mapping[str, object]) -> None:
        super().__init__()
        self._channel = channel
        self._known = known

    def emit(self, record: logging.LogRecord) -> None:
        """Format and send one record. Never raises into the block that logged."""
        try:
            frame = self._frame(record, record.levelno, self.format(record), fields_of(record, self._known))
        except Exception:
            self.handleError(record)
            return
        self._send(frame)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is of logging
        """Report that the log call is wrong, in place of what `logging` prints."""
        error = sys.exc_info()[1]
        if error is not None:
            self._send(self._frame(record, max(record.levelno, logging.ERROR), wrong_call(record, error), {}))

    def _frame(self, record: logging.LogRecord, level: int, text: str, fields: dict[str, FieldValue]) -> Log:
        text = encodable(text)
        return Log(
            level=min(max(level, 0), 1000),
            logger=encodable(module_name(str(record.name)))[:LOGGER_CAP_CHARS],
            text=text[:LOG_CAP_CHARS],
            created=record.created,
            cut_chars=max(0, len(text) - LOG_CAP_CHARS),
            fields=fields,
        )

    def _send(self, frame: Log) -> None:
        # If the supervisor is gone, this process is about to be killed for it.
        with contextlib.suppress(OSError):
            self._channel.send(frame)


@contextlib.contextmanager
def import_logs(channel: Channel) -> Iterator[None]:
    """Send what modules log during their import over `channel`, each record with its level and its logger."""
    handler = FrameHandler(channel, {})
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def capture_logs(channel: Channel, order: Order) -> None:
    """Make the channel the only place to which logging in this process goes."""
    # The supervisor itself puts these on every line of the job.
    known = {"job": order.job_id, "block": order.block_id, "step": order.step_label}
    root = logging.getLogger()
    root.handlers[:] = [FrameHandler(channel, known)]
    root.setLevel(order.log_level)
    for name, level in order.log_levels.items():
        # An author knows the modules of a directory by their files, not by our package around them.
        for full_name in (name, *(f"{package}.{name}" for package in private_packages())):
            logging.getLogger(full_name).setLevel(level)
    logging.captureWarnings(True)
    # An author's own handlers report on stderr what they can't format, and the supervisor captures that, too.
    logging.raiseExceptions = True
    tell_uncaught_in_threads(channel)
