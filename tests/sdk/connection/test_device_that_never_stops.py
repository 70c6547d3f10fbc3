"""A device that talks without a pause, as with `debug` on: a command ends at its limit."""

import time
from types import SimpleNamespace

import pytest

from sdk.connection.deadline import Deadline
from sdk.connection.errors import CommandTimeoutError
from sdk.connection.login import Login
from sdk.connection.session import Session

FLOOD_SECONDS = 20.0


class Flood:
    """A channel in which there is always more to read, until its flood is over."""

    closed = False

    def __init__(self) -> None:
        self._end = time.monotonic() + FLOOD_SECONDS

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def settimeout(self, seconds: float | None) -> None:
        pass

    def recv_ready(self) -> bool:
        return not self.is_over

    def recv(self, most_bytes: int) -> bytes:
        return b"IP: s=192.0.2.1 (local), d=192.0.2.7, len 100, sending\r\n"[:most_bytes]

    def sendall(self, data: bytes) -> None:
        pass


def test_what_nobody_asked_for_holds_a_command_no_longer_than_to_its_limit() -> None:
    flood = Flood()
    session = Session(Login("192.0.2.1", "admin", password="never-to-be-seen-1"))
    session.use(SimpleNamespace(RETURN="\n", encoding="utf-8", remote_conn=flood))
    session.prompt = "r1#"
    with pytest.raises(CommandTimeoutError):
        session.send("undebug all", deadline=Deadline(0.1))
    assert not flood.is_over
    assert not session.is_usable
