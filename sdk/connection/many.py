"""`for_each_device`: the same work on many devices, a limited number at a time, with one outcome for each."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

from sdk.concurrency.parallel import run_parallel
from sdk.connection.causes import Cause
from sdk.connection.errors import fail
from sdk.connection.outcomes import DeviceOutcome, name_of
from sdk.connection.pool import released_at_the_end
from sdk.connection.progress import Progress

DeviceT = TypeVar("DeviceT")
ValueT = TypeVar("ValueT")

DEFAULT_LIMIT: Final = 16
DEFAULT_TIMEOUT_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


async def for_each_device(
    devices: Iterable[DeviceT],
    function: Callable[[DeviceT], Awaitable[ValueT]],
    limit: int = DEFAULT_LIMIT,
    timeout: float | None = DEFAULT_TIMEOUT_SECONDS,
) -> list[DeviceOutcome[DeviceT, ValueT]]:
    """Await `function(device)` for each device and return one outcome for each, in the order of `devices`.

    ```python
    async def version(device: DeviceEntity) -> str:
        async with connect(device) as conn:
            return (await conn.send_command("show version")).output

    outcomes = await for_each_device(context.devices, version, limit=16, timeout=60)
    failed = [outcome.name for outcome in outcomes if not outcome.succeeded]
    ```

    * `limit`: how many devices at a time. The others wait for their turn, in order.
    * `timeout`: seconds for each device, counted from its turn, or None for no limit. At the limit the function is
      cancelled, and its outcome has a `DeviceTimeoutError`.
    * If a device fails, the others go on: what the function raises becomes its outcome. If that is not a
      `DeviceError`, its traceback goes to the log.
    * If there are more devices than `limit`, the connections of a device are closed at the end of its turn, so that
      no more than `limit` devices are held at once. With fewer they are kept for the block, as after any `connect`.
    * Progress goes to the log: the start, each tenth of the devices, each failure with the device's name, the end.
    * If the caller is cancelled, this cancels the devices whose turn it is, waits until they have cleaned up, and
      begins no other device.

    Raises `TypeError` for a function that is not async, and `ValueError` for a limit or timeout with which nothing
    can run.
    """
    every = list(devices)
    _check(limit, timeout)
    progress = Progress(len(every), limit, timeout, _log)
    are_kept = len(every) <= limit
    turns = [_Turn(function, device, timeout, progress, are_kept).outcome() for device in every]
    progress.started()
    try:
        outcomes: list[DeviceOutcome[DeviceT, ValueT]] = await run_parallel(*turns, limit=limit)
    except asyncio.CancelledError:
        progress.cancelled()
        raise
    progress.ended()
    return outcomes


def _check(limit: object, timeout: object) -> None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"for_each_device: limit is {limit!r}. Give an integer: how many devices at a time.")
    if limit < 1:
        raise ValueError(
            f"for_each_device: limit is {limit}, and no device would have its turn. Give one or more."
        )
    if timeout is None:
        return
    if not isinstance(timeout, int | float) or isinstance(timeout, bool):
        raise TypeError(f"for_each_device: timeout is {timeout!r}. Give seconds, or None for no limit.")
    if not timeout > 0:
        raise ValueError(
            f"for_each_device: timeout is {timeout}, and no device could answer. Give seconds above 0."
        )


class _Turn:
    """One device's turn."""

    def __init__(
        self,
        function: Callable[[Any], Awaitable[Any]],
        device: Any,
        timeout: float | None,
        progress: Progress,
        are_connections_kept: bool,
    ) -> None:
        self._function = function
        self._device = device
        self._timeout = timeout
        self._progress = progress
        self._are_connections_kept = are_connections_kept

    async def outcome(self) -> DeviceOutcome[Any, Any]:
        started = time.monotonic()
        with contextlib.nullcontext() if self._are_connections_kept else released_at_the_end():
            value, error = await self._attempt()
        outcome = DeviceOutcome(self._device, value, error, time.monotonic() - started)
        self._progress.done(outcome)
        return outcome

    async def _attempt(self) -> tuple[Any, Exception | None]:
        at_most = asyncio.timeout(self._timeout)
        try:
            async with at_most:
                return await self._call(), None
        except _NotAsyncError as error:
            raise TypeError(str(error)) from None
        except TimeoutError as error:
            if at_most.expired() and self._timeout is not None:
                return None, fail(Cause.DEVICE_TIMEOUT, name_of(self._device), seconds=self._timeout)
            return None, error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Something inside the function was cancelled, not this call.
            return None, RuntimeError("what the function awaited was cancelled")
        except Exception as error:
            return None, error

    def _call(self) -> Awaitable[Any]:
        awaitable = self._function(self._device)
        if not inspect.isawaitable(awaitable):
            raise _NotAsyncError(
                f"for_each_device: the function returned {type(awaitable).__name__} where it must be async. "
                "Write `async def`, or put `run_in_thread` around a function that blocks."
            )
        return awaitable


class _NotAsyncError(Exception):
    """A mistake that all devices share."""
