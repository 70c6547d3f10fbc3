"""Sessions on emulated devices, for the tests of `sdk.connection`."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
)
from sdk.connection import Configuration, Connection, Login, connect
from sdk.testing.devices import EmulatedIos, Faults

PASSWORD = "never-to-be-seen-1"
SECRET = "never-to-be-seen-2"
NO_ARCHIVE = "%Turn config archive on before using Rollback Confirmed Change"
"""What IOS says to the revert timer without `archive`. It stays where it is."""

NO_REVERT_TIMER = {"configure terminal revert timer 1": NO_ARCHIVE}


class Nothing(FunctionBlockResultData):
    """No data."""


class Does(FunctionBlock[FunctionBlockParams, Nothing]):
    """Does what it is given."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._work = work

    async def run(
        self, params: FunctionBlockParams, context: WorkflowContext
    ) -> FunctionBlockResult[Nothing]:
        await self._work()
        return FunctionBlockResult(success=True, message="done")


async def result_of(work: Callable[[], Awaitable[None]]) -> FunctionBlockResult[Any]:
    """Have a block do it, and return the block's result."""
    return await Does(work).execute_function_block(FunctionBlockParams(), WorkflowContext({}, "global"))


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


@asynccontextmanager
async def saved_ios(faults: Faults) -> AsyncIterator[tuple[EmulatedIos, Connection]]:
    """A device whose configuration is saved, and a connection to change it."""
    async with EmulatedIos("admin", PASSWORD, "r1", faults=faults) as device:
        device.device.startup_config = device.device.running_config()
        async with connect(login_to(device), platform="ios", needs=(Configuration,)) as connection:
            yield device, connection


def is_timer_running(device: EmulatedIos) -> bool:
    return (device.device.revert_timer or device.device.reload_timer) is not None
