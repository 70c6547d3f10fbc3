"""The host keys of a job, on its side: those that the order has, and telling the supervisor of those that are new."""

import contextlib
from typing import Any

from pydantic import ValidationError

from jobrunner.channel import Channel
from jobrunner.protocol.messages import HostKey, Order
from sdk.known_hosts import KnownHosts, Report, use_known_hosts


def know_host_keys(channel: Channel, order: Order, payload: dict[str, Any]) -> None:
    """Have the SDK check devices by what the order says."""
    use_known_hosts(KnownHosts(order.host_keys, payload.get("host_keys", ()), _reporting(channel)))


def _reporting(channel: Channel) -> Report:
    def report(host: str, port: int, key_type: str, key: str) -> None:
        # A name that no message can hold is the name of no device of the engine's; and nobody may be there to hear.
        with contextlib.suppress(ValidationError, OSError):
            channel.send(HostKey(host=host, port=port, key_type=key_type, key=key))

    return report
