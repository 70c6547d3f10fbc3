"""A TCP connection with a deadline. The deadline includes the look-up of the name."""

from __future__ import annotations

import errno
import os
import queue
import select
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail

_SHORTEST_SECONDS: Final = 0.001
_MOST_MILLISECONDS: Final = 2**31 - 1
"""The limit of poll(2): 24 days. The kernel gives up after minutes."""

_Addresses = list[tuple[Any, Any, int, str, Any]]


def connect_tcp(
    host: str,
    port: int,
    *,
    deadline: Deadline,
    where: str | None = None,
    opened: Callable[[socket.socket], None] = lambda connection: None,
) -> socket.socket:
    """Connect to the first address of `host` that answers. `where` names it in messages.

    If there are several addresses, each gets its share of the remaining time: an address that drops everything must not
    use up the time of the others. `opened` gets each socket while it connects. A shutdown of that socket ends the wait
    for this address.

    Raises:
        DeviceError: the name is not known, no address answers, or none answers in time.
        OSError: this machine has no descriptor left.
    """
    where = where or f"{host} port {port}"
    addresses = _addresses(host, port, deadline, where)
    last: DeviceError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        share_seconds = deadline.left_seconds / (len(addresses) - number)
        connection = _socket(family, kind, protocol)
        if connection is None:
            # Reported only if no other address tells more.
            last = last or fail(Cause.UNREACHABLE, where, detail=os.strerror(errno.EAFNOSUPPORT))
            continue
        try:
            _connect(connection, address, max(share_seconds, _SHORTEST_SECONDS), opened)
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


def _socket(family: int, kind: int, protocol: int) -> socket.socket | None:
    """Return a socket; None if this machine lacks the family: name servers also tell IPv6 addresses to IPv4 hosts."""
    try:
        return socket.socket(family, kind, protocol)
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            raise
        return None


def _connect(
    connection: socket.socket, address: Any, seconds: float, opened: Callable[[socket.socket], None]
) -> None:
    """Connect within `seconds`. From then on they are the limit for reading and writing. Raises `OSError`."""
    connection.setblocking(False)
    problem = connection.connect_ex(address)
    # Not before this: a shutdown before the connect has no effect. A shutdown during the connect ends it at once.
    opened(connection)
    if problem == errno.EINPROGRESS:
        poll = select.poll()
        poll.register(connection, select.POLLOUT)
        if not poll.poll(min(seconds * 1000, _MOST_MILLISECONDS)):
            raise TimeoutError
        problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if problem:
        raise OSError(problem, os.strerror(problem))
    connection.settimeout(seconds)


def _addresses(host: str, port: int, deadline: Deadline, where: str) -> _Addresses:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass  # it is a name
    found: queue.SimpleQueue[_Addresses | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            found.put(error)

    # The resolver takes no limit (getaddrinfo(3)): if no name server answers, it waits for many seconds.
    threading.Thread(target=look_up, name="name look-up", daemon=True).start()
    try:
        answer = found.get(timeout=max(deadline.left_seconds, _SHORTEST_SECONDS))
    except queue.Empty:
        detail = f"no name server has answered within {deadline.seconds:g} s"
        raise fail(Cause.UNKNOWN_NAME, where, detail=detail) from None
    if isinstance(answer, Exception):
        detail = getattr(answer, "strerror", None) or "it is no name of a host"
        raise fail(Cause.UNKNOWN_NAME, where, detail=detail)
    return answer
