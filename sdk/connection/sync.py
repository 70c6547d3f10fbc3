"""`connect_sync`: a device for code without an event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sdk.connection import changing, verbs
from sdk.connection.base_connection import BaseConnection
from sdk.connection.change import SyncChange
from sdk.connection.changes.plan import Plan, plan_lines
from sdk.connection.connecting import DEFAULT_LOGIN_SECONDS, DEFAULT_TIMEOUT_SECONDS, target_of
from sdk.connection.errors import DeviceError
from sdk.connection.pool import current_pool
from sdk.connection.steps import enter_step, leave, verb_step
from sdk.connection.threads import run_limited_here
from sdk.connection.verbs import Verb

if TYPE_CHECKING:
    from sdk.connection.answer import Answer
    from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route

T = TypeVar("T")


class SyncConnection(BaseConnection):
    """A device that `connect_sync` has logged in to: like `Connection`, for code without `await`.

    Every method has its own limit, `timeout` in seconds (a finite number), and raises a `DeviceError`. The calling
    thread waits. On an event loop, use `connect`.
    """

    def __enter__(self) -> Self:
        device, step = enter_step(self._target, self._login_seconds, current_pool())
        if step is not None:
            try:
                run_limited_here(step, self._login_seconds)
            except BaseException:
                device.close()  # the pool may have given an open one, and nobody else has it now
                raise
        self._device = device
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        device, self._device = self._device, None
        if device is not None:
            leave(device, current_pool())

    def send_command(
        self, command: str, timeout: float = DEFAULT_TIMEOUT_SECONDS, *, parse: bool = False
    ) -> Answer:
        """Send one command and return its output: complete, or cut at the size limit and marked as cut.

        With `parse`, `answer.parsed` is the output as data, or None if nothing recognises it.
        """
        return self.run(verbs.send_command(command, parse=parse), timeout)

    def send_interactive(
        self, steps: Sequence[tuple[str, str | None]], timeout: float = DEFAULT_TIMEOUT_SECONDS
    ) -> str:
        """Send lines that the device answers with questions, and return what it said.

        A step is a line, and what must come next: a regular expression (upper and lower case are the same), or None
        for the prompt. `[("copy running-config startup-config", "filename"), ("", None)]`.
        """
        return self.run(verbs.send_interactive(steps), timeout)

    def get_information(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> DeviceFacts:
        """Return what the device is."""
        return self.run(verbs.get_information(), timeout)

    def get_config(self, timeout: float = DEFAULT_TIMEOUT_SECONDS, *, source: str = "running") -> str:
        """Return the `running` or the `startup` configuration."""
        return self.run(verbs.get_config(source), timeout)

    def get_interfaces(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> list[InterfaceFacts]:
        """Return the interfaces."""
        return self.run(verbs.get_interfaces(), timeout)

    def get_neighbors(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> list[Neighbor]:
        """Return the neighbors that a discovery protocol has seen."""
        return self.run(verbs.get_neighbors(), timeout)

    def get_routes(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> list[Route]:
        """Return the routes that are in use."""
        return self.run(verbs.get_routes(), timeout)

    def save_config(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Make the running configuration the startup configuration."""
        self.run(verbs.save_config(), timeout)

    def plan(self, lines: str | Iterable[str], timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Plan:
        """Like `Connection.plan`. `timeout` is in seconds."""
        text, dialect = self.run(changing.read(), timeout)
        return plan_lines(text, lines, dialect)

    def apply(
        self,
        plan: Plan,
        timeout: float = changing.DEFAULT_CHANGE_SECONDS,
        *,
        confirm_seconds: float | None = None,
    ) -> SyncChange:
        """Like `Connection.apply`. `timeout` is in seconds."""
        device = self._entered()
        change = changing.Changing(self._target, plan, confirm_seconds, timeout)
        try:
            applied = self.run(change.verb(), timeout)
        except DeviceError as error:
            rescue = change.rescue(error)
            if rescue is None:
                raise change.told(error) from None
            device.abort()  # see `Connection`
            try:
                told = run_limited_here(rescue, change.left_seconds)
            except Exception as failure:
                told = change.told_without_rescue(error, failure)
            raise told from None
        return SyncChange(self.run, plan, applied)

    def run(self, verb: Verb[T], timeout: float) -> T:
        """Run one action with the platform's object, alone on this connection, within `timeout` seconds."""
        return run_limited_here(verb_step(self._entered(), verb, timeout), timeout)


def connect_sync(
    device: Any,
    *,
    needs: tuple[type, ...] = (),
    login_seconds: float = DEFAULT_LOGIN_SECONDS,
    parameters: Any = None,
    platform: str | None = None,
    host_keys: str | None = None,
    max_output_bytes: int | None = None,
    session_log: Callable[[str], object] | None = None,
) -> SyncConnection:
    """Connect to a device of the job like `connect`, in code without `await`: in a plain `def run`, or in a thread.

    ```python
    with connect_sync(context.device, needs=(Execution,)) as conn:
        answer = conn.send_command("show version", timeout=30)
    ```

    Raises `DeviceError` like `connect`.
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
    return SyncConnection(target, login_seconds)
