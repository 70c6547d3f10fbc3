"""How a job tells the worker what it is about to change on a device: see `sdk.connection.changes.record`."""

import contextlib
import re
from collections.abc import Callable

from jobrunner.channel import Channel
from jobrunner.protocol.caps import CHANGES_CAP, DEVICE_CAP_CHARS, LINES_CAP
from jobrunner.protocol.messages import DeviceChange
from sdk.connection.changes.record import ChangeReport

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def reporting_to(channel: Channel) -> Callable[[ChangeReport], None]:
    """Return what tells the supervisor of a change. It returns when the message is in the channel."""

    def report(change: ChangeReport) -> None:
        if change.number > CHANGES_CAP:
            return
        message = DeviceChange(
            number=change.number,
            device=_CONTROLS.sub(" ", change.device)[:DEVICE_CAP_CHARS],
            stage=change.stage.value,
            lines=min(change.lines, LINES_CAP),
            timer_seconds=change.timer_seconds,
        )
        with contextlib.suppress(OSError):  # the supervisor is gone, and this process about to be
            channel.send(message)

    return report
