"""Rows that are over: they leave the file together with something that is written anyway, or soon without it."""

import asyncio
from collections.abc import Callable
from typing import Final

from supervisor.journal.row import Row
from supervisor.journal.saving import Saving

REMOVE_SECONDS: Final = 0.05
"""How long a row that is over may wait for a transaction. Nobody waits for its removal, but until then a worker that is
killed sends the result once more."""


class Removals:
    """Gathers rows, and has `remove` called for each, in their order."""

    def __init__(self, remove: Callable[[Row], Saving]) -> None:
        self._remove = remove
        self._rows: list[Row] = []
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, row: Row) -> bool:
        return row in self._rows

    def add(self, row: Row) -> None:
        """Have a row removed with the next transaction, or when its time is over."""
        self._rows.append(row)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REMOVE_SECONDS, self._on_time)

    def begin(self) -> list[Saving]:
        """Have all of them removed now: to be called right before something else is written."""
        if not self._rows:
            return []
        rows = self._rows
        self.clear()
        return [self._remove(row) for row in rows]

    async def finish(self) -> None:
        """Remove all of them. Returns when that is done, or when it is known that the disk does not take it."""
        for saving in self.begin():
            await saving.wait()

    def clear(self) -> None:
        """Let go of all of them."""
        self._rows = []
        # The timer goes on: to begin a new one for each job would cost more than one that finds nothing.

    def _on_time(self) -> None:
        self._timer = None
        self.begin()
