"""What a job reports to the worker about its devices: new host keys, and the changes that it is about to make.

`sdk.known_hosts` and `sdk.connection.changes.record` call the functions that are made here.
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
    """Make the SDK check devices with the host keys in the order, and report new keys to the supervisor."""
    use_known_hosts(KnownHosts(order.host_keys, payload.get("host_keys", ()), _reporting_keys(channel)))


def _reporting_keys(channel: Channel) -> Report:
    def report(host: str, port: int, key_type: str, key: str) -> None:
        # If a name fits in no message, it is no name of an engine's device. And the supervisor may be gone.
        with contextlib.suppress(ValidationError, OSError):
            channel.send(HostKey(host=host, port=port, key_type=key_type, key=key))

    return report


def reporting_changes(channel: Channel) -> Callable[[ChangeReport], None]:
    """Return a function that reports a change to the supervisor. It returns when the message is in the channel."""

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
        with contextlib.suppress(OSError):  # the supervisor is gone, and this process ends soon
            channel.send(message)

    return report
