"""A change that was made, to be kept or taken back. For `await` and without."""

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
    """What `apply` has done to a device. Its `repr` shows no lines and texts: they can hold secrets."""

    _confirming: ClassVar[str] = "await change.confirm()"

    def __init__(self, plan: Plan, applied: Applied) -> None:
        self._plan = plan
        self._applied = applied
        expect_confirmation(applied, self._confirming)

    @property
    def diff(self) -> str:
        """What really changed, as a unified diff; "" if nothing did."""
        return self._applied.diff

    @property
    def applied(self) -> tuple[ConfigurationLine, ...]:
        """The lines that the device accepted, in their order."""
        return self._applied.applied

    @property
    def refused(self) -> Refusal | None:
        """Always None: a refused line raises `LineRefusedError`, whose `applied` says which line it was."""
        return self._applied.refused

    @property
    def not_shown(self) -> tuple[ConfigurationLine, ...]:
        """Lines that the device accepted, but does not show, or shows in another form. An undo can't take them back."""
        return self._applied.comparison.not_shown

    @property
    def unforeseen(self) -> tuple[str, ...]:
        """Lines that came (`+ …`) or went (`- …`) although the plan did not have them."""
        return self._applied.comparison.unforeseen

    @property
    def stayed(self) -> tuple[ConfigurationLine, ...]:
        """Lines that the plan wanted to remove, and that are still there."""
        return self._applied.comparison.stayed

    @property
    def timer(self) -> ConfirmTimer | None:
        """The timer on the device that takes the change back unless you confirm it; None without `confirm_seconds`."""
        return self._applied.timer

    @property
    def configuration(self) -> str:
        """The running configuration after the change."""
        return self._applied.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.applied)} lines, {self.timer})"


class Change(AppliedChange):
    """A change made by `Connection.apply`."""

    def __init__(self, run: Callable[..., Awaitable[Any]], plan: Plan, applied: Applied) -> None:
        super().__init__(plan, applied)
        self._run = run

    async def confirm(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Keep the change: stop the timer on the device. Does nothing without `confirm_seconds`.

        `timeout` is in seconds. When cancelled, it ends at once, and so does the connection; the timer may go on.

        Raises:
            ConfirmedTooLateError: the timer has already run out; the message says what the device has now.
            RefusedCommandError: the device refuses to stop the timer, which goes on; the message says when it acts.
            DeviceError: the device did not answer, and its timer goes on.
        """
        await self._run(changing.confirm_change(self._applied), timeout)

    async def undo(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Restoration:
        """Give the device back the configuration that it had when the plan was made, then stop its timer.

        `timeout` is in seconds. When cancelled, it ends at once, and so does the connection; a part may be taken back.

        Raises:
            NotRestoredError: something is left, perhaps only the timer; the message lists it.
            DeviceError: the device did not answer; a part may be taken back.
        """
        restoration: Restoration = await self._run(changing.undo_change(self._plan, self._applied), timeout)
        return restoration


class SyncChange(AppliedChange):
    """A change made by `SyncConnection.apply`."""

    _confirming = "change.confirm()"

    def __init__(self, run: Callable[..., Any], plan: Plan, applied: Applied) -> None:
        super().__init__(plan, applied)
        self._run = run

    def confirm(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Like `Change.confirm`. `timeout` is in seconds."""
        self._run(changing.confirm_change(self._applied), timeout)

    def undo(self, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Restoration:
        """Like `Change.undo`. `timeout` is in seconds."""
        restoration: Restoration = self._run(changing.undo_change(self._plan, self._applied), timeout)
        return restoration
