"""A TCP connection with a deadline."""

from __future__ import annotations

import os
import socket

from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail


def connect_tcp(host: str, port: int, *, deadline: Deadline) -> socket.socket:
    """Connect to the first address of `host` that answers.

    Raises `DeviceError`: the name is not known, no address answers, or none in time.
    """
    where = f"{host} port {port}"
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise fail(Cause.UNKNOWN_NAME, where, detail=getattr(error, "strerror", None) or str(error)) from None
    last: DeviceError | None = None
    for family, kind, protocol, _, address in addresses:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(max(deadline.left_seconds, 0.001))
            connection.connect(address)
        except TimeoutError:
            connection.close()
            last = fail(Cause.CONNECT_TIMEOUT, where, seconds=deadline.seconds)
        except OSError as error:
            connection.close()
            reason = os.strerror(error.errno) if error.errno else str(error)
            last = fail(Cause.UNREACHABLE, where, detail=reason)
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise last or fail(Cause.UNKNOWN_NAME, where, detail="it has no address")
