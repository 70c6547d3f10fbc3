"""Log records of a block become frames to the supervisor, which decides where they go."""

import contextlib
import logging
import sys

from jobrunner.channel import Channel
from jobrunner.protocol.caps import LOG_CAP_CHARS, cut
from jobrunner.protocol.messages import Log


class FrameHandler(logging.Handler):
    """Sends each record at once: what was logged before a crash or a kill is not lost."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Format and send one record. Never raises into the block that logged."""
        try:
            text = cut(encodable(self.format(record)), LOG_CAP_CHARS)
            level = min(max(record.levelno, 0), 1000)
            frame = Log(level=level, logger=encodable(record.name)[:500], text=text, created=record.created)
        except Exception:
            self.handleError(record)
            return
        # The supervisor is gone: this process is about to be killed for it.
        with contextlib.suppress(OSError):
            self._channel.send(frame)


def encodable(text: str) -> str:
    """Return ``text`` as print would show it: half a surrogate pair (of a file's name, say) has no place in a frame."""
    return text.encode(errors="backslashreplace").decode()


def capture_logs(channel: Channel, level: int) -> None:
    """Make the channel the only place that logging in this process goes to."""
    handler = FrameHandler(channel)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    # A record that can't be formatted is reported on stderr, which the supervisor captures too.
    logging.raiseExceptions = True


def line_buffer_output() -> None:
    """Have prints reach the supervisor line by line, whatever their encoding: a kill flushes nothing."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = open(  # noqa: SIM115  # open for as long as the process lives
            descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush_output() -> None:
    """Write out what a block left in Python's buffers; a block may have closed them."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
