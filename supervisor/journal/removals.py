"""Rows that are over: they leave the file together with the next write, or soon in their own transaction."""

import asyncio
from collections.abc import Callable
from typing import Final

from supervisor.journal.row import Row
from supervisor.journal.saving import Saving

REMOVE_SECONDS: Final = 0.05
"""How long a row that is over may wait for a transaction. Nobody waits for its removal. But if the worker is killed
before it, the next start sends the result once more."""


class Removals:
    """Collects rows, and calls `remove` for each, in order."""

    def __init__(self, remove: Callable[[Row], Saving]) -> None:
        self._remove = remove
        self._rows: list[Row] = []
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, row: Row) -> bool:
        return row in self._rows

    def add(self, row: Row) -> None:
        """Remove a row with the next transaction, or when its time is over."""
        self._rows.append(row)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REMOVE_SECONDS, self._on_time)

    def begin(self) -> list[Saving]:
        """Remove all of them now. Call it right before something else is written."""
        if not self._rows:
            return []
        rows = self._rows
        self.clear()
        return [self._remove(row) for row in rows]

    async def finish(self) -> None:
        """Remove all of them. Returns when that is done, or when the disk is known to refuse it."""
        for saving in self.begin():
            await saving.wait()

    def clear(self) -> None:
        """Drop all of them."""
        self._rows = []
        # The timer goes on: a new timer for each job would cost more than one that finds nothing.

    def _on_time(self) -> None:
        self._timer = None
        self.begin()
