"""Log records of a block become frames to the supervisor, which decides where they go."""

import contextlib
import logging

from jobrunner.channel import Channel
from jobrunner.discovery.sources import module_name, private_packages
from jobrunner.log_fields import encodable, fields_of
from jobrunner.protocol.caps import LOG_CAP_CHARS
from jobrunner.protocol.messages import Log, Order


class FrameHandler(logging.Handler):
    """Sends each record at once: what was logged before a crash or a kill is not lost."""

    def __init__(self, channel: Channel, order: Order) -> None:
        super().__init__()
        self._channel = channel
        # The supervisor puts these on every line of the job itself.
        self._known = {"job": order.job_id, "block": order.block_id, "step": order.step_label}

    def emit(self, record: logging.LogRecord) -> None:
        """Format and send one record. Never raises into the block that logged."""
        try:
            text = encodable(self.format(record))
            frame = Log(
                level=min(max(record.levelno, 0), 1000),
                logger=encodable(module_name(record.name))[:500],
                text=text[:LOG_CAP_CHARS],
                created=record.created,
                cut_chars=max(0, len(text) - LOG_CAP_CHARS),
                fields=fields_of(record, self._known),
            )
        except Exception:
            self.handleError(record)
            return
        # The supervisor is gone: this process is about to be killed for it.
        with contextlib.suppress(OSError):
            self._channel.send(frame)


def capture_logs(channel: Channel, order: Order) -> None:
    """Make the channel the only place that logging in this process goes to."""
    handler = FrameHandler(channel, order)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(order.log_level)
    for name, level in order.log_levels.items():
        # An author knows the modules of a directory by their files, not by our package around them.
        for full_name in (name, *(f"{package}.{name}" for package in private_packages())):
            logging.getLogger(full_name).setLevel(level)
    logging.captureWarnings(True)
    # A record that can't be formatted is reported on stderr, which the supervisor captures too.
    logging.raiseExceptions = True
