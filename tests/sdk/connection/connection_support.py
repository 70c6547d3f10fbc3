"""Sessions on emulated devices, for the tests of `sdk.connection`."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sdk.connection import Connection, Login, connect
from sdk.testing.devices import EmulatedIos, Faults

PASSWORD = "never-to-be-seen-1"
SECRET = "never-to-be-seen-2"


def ssh_threads() -> list[threading.Thread]:
    return [
        thread for thread in threading.enumerate() if type(thread).__module__.startswith(("paramiko", "sdk."))
    ]


def login_to(device: EmulatedIos, **changes: Any) -> Login:
    values: dict[str, Any] = {
        "host": device.host,
        "port": device.port,
        "username": "admin",
        "password": PASSWORD,
    }
    return Login(**{**values, **changes})


@asynccontextmanager
async def connected(faults: Faults | None = None, **settings: Any) -> AsyncIterator[Connection]:
    """A connection to an emulated IOS called r1."""
    async with (
        EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device,
        connect(login_to(device), platform="ios", **settings) as connection,
    ):
        yield connection
