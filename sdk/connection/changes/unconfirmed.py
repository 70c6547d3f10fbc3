"""Changes of one block that a timer on the device will take back unless somebody confirms them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sdk.block_end import kept_for_the_block
from sdk.connection.causes import Cause
from sdk.connection.changes.applied import Applied
from sdk.connection.changes.record import ChangeRecord
from sdk.connection.changes.secrecy import without_secrets
from sdk.connection.errors import fail


@dataclass(frozen=True, slots=True)
class _Change:
    record: ChangeRecord
    applied: Applied
    code: str


class UnconfirmedChanges:
    """The unconfirmed changes of one block. Any thread may use it."""

    def __init__(self) -> None:
        self._changes: list[_Change] = []

    def add(self, applied: Applied, code: str) -> None:
        """Watch a change with a timer. `code` is what the author has to write to confirm it."""
        if applied.record is not None and applied.timer is not None:
            self._changes.append(_Change(applied.record, applied, code))

    def check_success(self) -> None:
        """Raise `ChangeUnconfirmedError` if a change is neither confirmed nor undone."""
        forgotten = [change for change in self._changes if change.record.is_unconfirmed]
        if not forgotten:
            return
        first = forgotten[0]
        left_seconds = first.record.taken_back_in_seconds
        others = ", ".join(change.record.where for change in forgotten[1:])
        raise fail(
            Cause.CHANGE_UNCONFIRMED,
            first.record.where,
            takes_back="takes its change back" if left_seconds > 0 else "took its change back",
            time=f"{datetime.now(UTC) + timedelta(seconds=left_seconds):%H:%M:%S} UTC",
            lines=_lines_of(first.applied),
            others=f"; so it is with {others}" if others else "",
            code=first.code,
        )

    def close(self) -> None:
        """Do nothing: nothing is open."""


def expect_confirmation(applied: Applied, code: str) -> None:
    """Fail the block that runs here if it returns success before this change is confirmed.

    `code` is what the author has to write to confirm it.
    """
    changes = kept_for_the_block(UnconfirmedChanges)
    if changes is not None:
        changes.add(applied, code)


def _lines_of(applied: Applied) -> str:
    first, more = without_secrets(str(applied.applied[0])), len(applied.applied) - 1
    return f"{first!r} and {more} more" if more else repr(first)
