"""`connect`: a device for code that uses `await`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sdk.connection import changing, verbs
from sdk.connection.base_connection import BaseConnection
from sdk.connection.change import Change
from sdk.connection.changes.applied import Applied
from sdk.connection.changes.plan import Plan, plan_lines
from sdk.connection.connecting import DEFAULT_LOGIN_SECONDS, DEFAULT_TIMEOUT_SECONDS, target_of
from sdk.connection.errors import DeviceError
from sdk.connection.pool import current_pool
from sdk.connection.steps import enter_step, leave, verb_step
from sdk.connection.threads import run_limited
from sdk.connection.verbs import Verb

if TYPE_CHECKING:
    from sdk.connection.answer import Answer
    from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route

T = TypeVar("T")


class Connection(BaseConnection):
    """A device that `connect` has logged in to. Use it inside of its `async with`.

    Every method has its own limit, `timeout` in seconds (a finite number), and raises a `DeviceError`. After an error
    of the connection itself (a limit, a drop, a pager) the connection can't be used any more: leave it and connect
    again. A cancelled method also ends the connection. Methods that are called at the same time run one after another.
    Each runs in a thread of `run_in_thread`: if more than 128 run at once, the rest wait, and so do their limits.
    """

    _block = "async with"

    async def __aenter__(self) -> Self:
        device, step = enter_step(self._target, self._login_seconds, current_pool())
        if step is not None:
            try:
                await run_limited(step, self._login_seconds)
            except BaseException:
                device.close()  # the pool may have given an open one, and nobody else has it now
                raise
        self._device = device
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        device, self._device = self._device, None
        if device is not None:
            leave(device, current_pool())

    async def send_command(
        self, command: str, timeout: float = DEFAULT_TIMEOUT_SECONDS, *, parse: bool = False
    ) -> Answer:
        """Send one command and return its output: complete, or cut at the size limit and marked as cut.

        With `parse`, `answer.parsed` is the output as data, or None if nothing recognises it.
        When cancelled, it ends the connection.
        """
        return await self.run(verbs.send_command(command, parse=parse), timeout)

    async def send_interactive(
        self, steps: Sequence[tuple[str, str | None]], timeout: float = DEFAULT_TIMEOUT_SECONDS
    ) -> str:
        """Send lines that the device answers with questions, and return what it said.

        A step is a line, and what must come next: a regular expression (upper and lower case are the same), or None
        for the prompt. `[("copy running-config startup-config", "filename"), ("", None)]`.
        When cancelled, it ends the connection.

        Raises:
            BadCommandError: a pattern is not a regular expression, or a line is more than one. Nothing was sent.
        """
        return await self.run(verbs.send_interactive(steps), timeout)

    async def get_information(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> DeviceFacts:
        """Return what the device is. When cancelled, it ends the connection."""
        return await self.run(verbs.get_information(), timeout)

    async def get_config(self, timeout: float = DEFAULT_TIMEOUT_SECONDS, *, source: str = "running") -> str:
        """Return the `running` or the `startup` configuration. When cancelled, it ends the connection."""
        return await self.run(verbs.get_config(source), timeout)

    async def get_interfaces(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> list[InterfaceFacts]:
        """Return the interfaces. When cancelled, it ends the connection."""
        return await self.run(verbs.get_interfaces(), timeout)

    async def get_neighbors(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> list[Neighbor]:
        """Return the neighbors that a discovery protocol has seen. When cancelled, it ends the connection."""
        return await self.run(verbs.get_neighbors(), timeout)

    async def get_routes(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> list[Route]:
        """Return the routes that are in use. When cancelled, it ends the connection."""
        return await self.run(verbs.get_routes(), timeout)

    async def save_config(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Make the running configuration the startup configuration. When cancelled, it ends the connection."""
        await self.run(verbs.save_config(), timeout)

    async def plan(self, lines: str | Iterable[str], timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Plan:
        """Read the configuration, and return what `lines` would change in it. This changes nothing on the device.

        The lines of a section are indented below its header, as the device shows them. `timeout` is in seconds.
        When cancelled, it ends at once, and so does the connection.

        Raises:
            LinesError: there are no lines, some that can't be sent, or some that remove a line of the device that
                nobody could give back.
        """
        text, dialect = await self.run(changing.read(), timeout)
        return plan_lines(text, lines, dialect)

    async def apply(
        self,
        plan: Plan,
        timeout: float = changing.DEFAULT_CHANGE_SECONDS,
        *,
        confirm_seconds: float | None = None,
    ) -> Change:
        """Send the lines of a plan, one by one, and return what they have changed.

        A refused line ends this, and the lines before it are taken back. With `confirm_seconds` the device itself
        takes the change back, unless `Change.confirm` comes before that (IOS counts in minutes). A block fails if it
        returns success without `Change.confirm` or `Change.undo`. `timeout`, in seconds, is for everything together.
        When cancelled, it ends at once, and so does the connection. The lines that are in force then stay, and the
        job's log says how many there are.

        Raises:
            ConfigurationChangedError: the device has changed since the plan was made. No line was sent.
            NoConfirmTimerError: the device has no timer. No line was sent.
            TimerUnknownError: the session ended while the timer was started; it may run. No line was sent.
            LineRefusedError: the message says which line, why, and how well the others were taken back.
            ConfirmedTooLateError: `confirm_seconds` were over before the last line; the message says what is in force.
            ChangeInterruptedError: the session ended during the change; the message says what is in force.
        """
        change = changing.Changing(self._target, plan, confirm_seconds, timeout)
        try:
            applied = await self._apply(change, timeout)
        except asyncio.CancelledError:
            change.log_cancelled()
            raise
        return Change(self.run, plan, applied)

    async def _apply(self, change: changing.Changing, timeout: float) -> Applied:
        device = self._entered()
        try:
            return await self.run(change.verb(), timeout)
        except DeviceError as error:
            rescue = change.rescue(error)
            if rescue is None:
                raise change.told(error) from None
            # Not every error has ended the session. It would keep its place on the device, perhaps the only one.
            device.abort()
            try:
                told = await run_limited(rescue, change.left_seconds)
            except Exception as failure:
                told = change.told_without_rescue(error, failure)
            raise told from None

    async def run(self, verb: Verb[T], timeout: float) -> T:
        """Run one action with the platform's object, alone on this connection, within `timeout` seconds.

        When cancelled, it ends the connection.
        """
        return await run_limited(verb_step(self._entered(), verb, timeout), timeout)


def connect(
    device: Any,
    *,
    needs: tuple[type, ...] = (),
    login_seconds: float = DEFAULT_LOGIN_SECONDS,
    parameters: Any = None,
    platform: str | None = None,
    host_keys: str | None = None,
    max_output_bytes: int | None = None,
    session_log: Callable[[str], object] | None = None,
) -> Connection:
    """Connect to a device of the job, over SSH.

    ```python
    async with connect(context.device, needs=(Execution,)) as conn:
        answer = await conn.send_command("show version", timeout=30)
    ```

    The `async with` logs in, within `login_seconds`. In a block, its end keeps the connection for the next `connect`
    to the same device, and the end of the block closes it. Outside of a block, its end closes it. It also closes a
    connection with another prompt than after the login, for example in configuration mode.

    Args:
        device: a device of the job's context, or a `Login`.
        needs: what the platform must be able to do (`Execution`, `Configuration`, `Information`); if it can't,
            `connect` refuses at once. `Configuration` enters privileged mode.
        login_seconds: the limit for TCP connection, SSH, login and first prompt together.
        parameters: the job's parameters: see `login_of`.
        platform: replaces the inventory's platform.
        host_keys: `strict`, `accept-new` or `off`; it counts if it is stricter than the worker's own `--host-keys`.
        max_output_bytes: the limit for one command; more output is cut.
        session_log: gets each line that is sent and received, masked. If it raises an error, the session ends.

    Raises:
        DeviceError: the inventory lacks something; when it logs in: the device can't be reached, refuses, or is too
            slow.
    """
    target = target_of(
        device,
        needs=needs,
        parameters=parameters,
        platform=platform,
        host_keys=host_keys,
        max_output_bytes=max_output_bytes,
        session_log=session_log,
    )
    return Connection(target, login_seconds)
