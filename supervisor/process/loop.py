"""The loop of a command: one that needs no further thread to end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from supervisor.process.threads import END_SECONDS, end_pool


class Loop(asyncio.SelectorEventLoop):
    """Ends the threads that it was given without starting one, as asyncio would for that.

    A thread that finds no memory for its first steps dies without a word, and `Thread.start` waits for it for ever
    (CPython: `threading.Thread.start` waits for an event that the thread itself sets). No signal is heard then.
    """

    _given: ThreadPoolExecutor | None = None

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]  # asyncio takes no other
        """Have `asyncio.to_thread` use these threads."""
        super().set_default_executor(executor)
        self._given = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """End the threads that it was given, and wait `END_SECONDS` for that. Those of asyncio's own it ends itself."""
        if self._given is None:
            await super().shutdown_default_executor()
        else:
            await end_pool(self._given, END_SECONDS if timeout is None else min(timeout, END_SECONDS))
