"""What a job tells the worker of its devices: the host keys that are new, and what it is about to change.

See `sdk.known_hosts` and `sdk.connection.changes.record`, which call what is made here.
"""

import contextlib
import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from jobrunner.channel import Channel
from jobrunner.protocol.caps import CHANGES_CAP, DEVICE_CAP_CHARS, LINES_CAP
from jobrunner.protocol.messages import DeviceChange, HostKey, Order
from sdk.connection.changes.record import ChangeReport
from sdk.known_hosts import KnownHosts, Report, use_known_hosts

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def know_host_keys(channel: Channel, order: Order, payload: dict[str, Any]) -> None:
    """Have the SDK check devices by what the order says, and tell the supervisor of host keys that are new."""
    use_known_hosts(KnownHosts(order.host_keys, payload.get("host_keys", ()), _reporting_keys(channel)))


def _reporting_keys(channel: Channel) -> Report:
    def report(host: str, port: int, key_type: str, key: str) -> None:
        # A name that no message can hold is the name of no device of the engine's; and nobody may be there to hear.
        with contextlib.suppress(ValidationError, OSError):
            channel.send(HostKey(host=host, port=port, key_type=key_type, key=key))

    return report


def reporting_changes(channel: Channel) -> Callable[[ChangeReport], None]:
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
