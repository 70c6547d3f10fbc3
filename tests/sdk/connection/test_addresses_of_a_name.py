"""A name with several addresses, some of a kind that this machine lacks, as IPv6 where the kernel has none."""

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from sdk.connection import tcp
from sdk.connection.deadline import Deadline
from sdk.connection.errors import UnreachableError
from tests.patience import PATIENCE_SECONDS

HOST = "127.0.0.1"
LACKING = (250, socket.SOCK_STREAM, 0, "", (HOST, 22))
"""Of a family that no kernel has."""


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Any]], None]:
    """Have each name stand for these addresses."""
    return lambda addresses: monkeypatch.setattr(tcp, "_addresses", lambda *_: addresses)


def connected() -> socket.socket:
    return tcp.connect_tcp("r1.example", 22, deadline=Deadline(PATIENCE_SECONDS))


@pytest.mark.parametrize("comes_first", [True, False])
def test_an_address_that_can_not_be_tried_here_hides_no_other(
    resolve: Callable[[list[Any]], None], comes_first: bool
) -> None:
    with socket.socket() as device:
        device.bind((HOST, 0))
        usable = (socket.AF_INET, socket.SOCK_STREAM, 0, "", device.getsockname())
        resolve([LACKING, usable] if comes_first else [usable, LACKING])
        with pytest.raises(UnreachableError, match=os.strerror(errno.ECONNREFUSED)) as refused:
            connected()
        assert refused.value.retryable is True
        device.listen()
        connected().close()


def test_where_none_can_be_tried_the_reason_is_named(resolve: Callable[[list[Any]], None]) -> None:
    resolve([LACKING])
    with pytest.raises(UnreachableError, match=os.strerror(errno.EAFNOSUPPORT)):
        connected()
