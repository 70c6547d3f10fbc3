"""Where the device of a case is: emulated, with faults, or nothing that listens. Each yields the device of the job."""

import contextlib
import json
import secrets
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from sdk.testing.devices import EmulatedIos, Faults
from sdk.testing.loop_thread import LoopThread
from tests.programs.device_faults.limits import PATIENT_SECONDS

Device = dict[str, Any]
Place = Callable[[LoopThread], AbstractContextManager[Device]]

HOST: Final = "127.0.0.1"
USERNAME: Final = "faults"


def emulated(
    faults: Faults | None = None,
    *,
    enable_secret: str | None = None,
    options: dict[str, Any] | None = None,
    **changes: Any,
) -> Place:
    """An emulated device. `options` are added to its connection options, `changes` replace fields of the device."""

    @contextlib.contextmanager
    def place(loop: LoopThread) -> Iterator[Device]:
        emulated_ios = EmulatedIos(
            USERNAME, secrets.token_urlsafe(12), "fault1", enable_secret=enable_secret, faults=faults
        )
        loop.call(emulated_ios.__aenter__())
        try:
            device = emulated_ios.as_context()["devices"][0]
            given = json.loads(device["connectionOptions"]) | (options or {})
            yield device | {"connectionOptions": json.dumps(given)} | changes
        finally:
            loop.call(emulated_ios.__aexit__(None, None, None))

    return place


def _nowhere(**fields: Any) -> Device:
    platform = {"id": 1, "name": "IOS", "shortName": "ios"}
    return {"id": 1, "ip": HOST, "username": USERNAME, "password": "unused-1", "platform": platform} | fields


@contextlib.contextmanager
def closed_port(_loop: LoopThread) -> Iterator[Device]:
    """A port that refuses: bound, so that nobody else takes it, and not listened on."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield _nowhere(connectionOptions=json.dumps({"port": bound.getsockname()[1]}))


@contextlib.contextmanager
def port_that_drops_all() -> Iterator[int]:
    """A port of `HOST` whose queue of connections is full: the kernel drops every further SYN, as a firewall does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        select.select([listener], [], [], PATIENT_SECONDS)  # the first fills the queue once it is there
        yield listener.getsockname()[1]


@contextlib.contextmanager
def dropped_syn(_loop: LoopThread) -> Iterator[Device]:
    """A device of which nothing comes back."""
    with port_that_drops_all() as port:
        yield _nowhere(connectionOptions=json.dumps({"port": port}))


def nowhere(**fields: Any) -> Place:
    """Nothing that listens; the job's device has these fields."""

    @contextlib.contextmanager
    def place(_loop: LoopThread) -> Iterator[Device]:
        yield _nowhere(**fields)

    return place
