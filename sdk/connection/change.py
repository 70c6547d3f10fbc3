"""A change that was made: to be kept or taken back, awaited or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final

from sdk.connection import changing
from sdk.connection.changes.applied import Applied, Refusal
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.changes.plan import Plan
from sdk.connection.changes.unconfirmed import expect_confirmation
from sdk.connection.changes.undo import Restoration

DEFAULT_TIMEOUT_SECONDS: Final = 60.0


class AppliedChange:
    """What `apply` has done to a device. Its lines and texts are in no `repr`: they can hold secrets."""

    _confirming: ClassVar[str] = "await change.confirm()"

    def __init__(self, plan: Plan, applied: Applied) -> None:
        self._plan = plan
        self._applied = applied
        expect_confirmation(applied, self._confirming)

    @property
    def diff(self) -> str:
        """What really changed, as a unified diff; "" for nothing."""
        return self._applied.diff

    @property
    def applied(self) -> tuple[ConfigurationLine, ...]:
        """The lines that the device took, in their order."""
        return self._applied.applied

    @property
    def refused(self) -> Refusal | None:
        """None: a refused line is a `LineRefusedError`, whose `applied` says which one it was."""
        return self._applied.refused

    @property
    def not_shown(self) -> tuple[ConfigurationLine, ...]:
        """Lines that the device took and does not show, or shows in another form. An undo can't take them back."""
        return self._applied.comparison.not_shown

    @property
    def unforeseen(self) -> tuple[str, ...]:
        """Lines that came (`+ …`) or went (`- …`) without being in the plan."""
        return self._applied.comparison.unforeseen

    @property
    def stayed(self) -> tuple[ConfigurationLine, ...]:
        """Lines that were to go according to the plan, and are still there."""
        return self._applied.comparison.stayed

    @property
    def timer(self) -> ConfirmTimer | None:
        """What takes the change back on the device unless it is confirmed; None without `confirm_seconds`."""
        return self._applied.timer

    @property
    def configuration(self) -> str:
        """The running configuration after the change."""
        return self._applied.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.applied)} lines, {self.timer})"


class Change(AppliedChange):
    """A change by `Connection.apply`."""

    def __init__(self, run: Callable[..., Awaitable[Any]], plan: Plan, applied: Applied) -> None:
        super().__init__(plan, applied)
        self._run = run

    async def confirm(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Let the change stay: stop the timer on the device. Does nothing without `confirm_seconds`.

        `timeout` is in seconds. Cancelled, it goes on at once, the connection ends, and the timer may go on.

        Raises:
            ConfirmedTooLateError: the timer has run out before; the message says what the device has now.
            RefusedCommandError: the device refuses to stop the timer, which goes on; the message says when it acts.
            DeviceError: the device did not answer, and its timer goes on.
        """
        await self._run(changing.confirm_change(self._applied), timeout)

    async def undo(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Restoration:
        """Give the device the configuration that it had when the plan was made, and stop its timer then.

        `timeout` is in seconds. Cancelled, it goes on at once and the connection ends; a part may be taken back.

        Raises:
            NotRestoredError: something is left, if only the timer, and the message lists it.
            DeviceError: the device did not answer; a part may be taken back.
        """
        restoration: Restoration = await self._run(changing.undo_change(self._plan, self._applied), timeout)
        return restoration


class SyncChange(AppliedChange):
    """A change by `SyncConnection.apply`."""

    _confirming = "change.confirm()"

    def __init__(self, run: Callable[..., Any], plan: Plan, applied: Applied) -> None:
        super().__init__(plan, applied)
        self._run = run

    def confirm(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """As `Change.confirm`. `timeout` is in seconds."""
        self._run(changing.confirm_change(self._applied), timeout)

    def undo(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Restoration:
        """As `Change.undo`. `timeout` is in seconds."""
        restoration: Restoration = self._run(changing.undo_change(self._plan, self._applied), timeout)
        return restoration
