"""A program that is started again whenever it ends, until somebody stops it, here or elsewhere."""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Final

from supervisor.commands.shared.program import NotReadyError, Program, ProgramError
from supervisor.engine.backoff import Backoff
from supervisor.process.signal_names import signal_name
from supervisor.process.tasks import Tasks

_SETTLED_SECONDS: Final = 60.0
"""After a program has run for so long, its next start has no longer pauses because of its earlier ends."""


class KeptProgram:
    """Keeps one program running. `start` starts it, and `ready` matches the line that says that it is ready.

    `on_ready` gets that line's match at each start, `say` gets messages for people. `before_restart` is awaited before
    a restart, besides the pause; it gets whether the program was ready. `on_wanted_end` is called if the program has
    ended with 0 and was not stopped from here: somebody else has stopped it, and it is not started again. Without
    `on_wanted_end`, it is started again after every end.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], Awaitable[Program]],
        *,
        ready: str,
        ready_seconds: float,
        on_ready: Callable[[re.Match[str]], None],
        say: Callable[[str], None],
        before_restart: Callable[[bool], Awaitable[None]] | None = None,
        on_wanted_end: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._start = start
        self._ready = ready
        self._ready_seconds = ready_seconds
        self._on_ready = on_ready
        self._say = say
        self._before_restart = before_restart
        self._on_wanted_end = on_wanted_end
        self._program: Program | None = None
        self._keeping = Tasks()

    async def begin(self) -> None:
        """Start it and wait until it is ready; from then on it is kept. Raises `ProgramError`; then nothing runs."""
        await self._bring_up()
        self._keeping.keep(self._keep, f"watch over the {self._name}")

    def begin_in_any_case(self) -> None:
        """Start it, and go on trying if it does not become ready."""
        self._keeping.keep(self._keep, f"watch over the {self._name}")

    async def _bring_up(self) -> None:
        self._program = program = await self._start()
        try:
            match = await program.wait_for_line(self._ready, self._ready_seconds)
        except ProgramError:
            await program.stop(0)
            raise
        self._on_ready(match)

    async def _keep(self) -> None:
        backoff = Backoff(first_seconds=0.5, longest_seconds=30.0)
        while True:
            was_ready, began = True, time.monotonic()
            try:
                if self._program is None or not self._program.is_running:
                    await self._bring_up()
                if self._program is not None:
                    code = await self._program.wait()
                    if code == 0 and self._on_wanted_end is not None:
                        self._on_wanted_end()
                        return
            except NotReadyError as error:  # it was ended because of that, so it has not said why
                was_ready = False
                self._say(error.reason)
            except (ProgramError, OSError):  # the second: no process could be started
                was_ready = False
            if time.monotonic() - began > _SETTLED_SECONDS:
                backoff.reset()
            await self._pause(backoff, was_ready=was_ready)

    async def _pause(self, backoff: Backoff, *, was_ready: bool) -> None:
        if self._before_restart is not None:
            await self._before_restart(was_ready)
        if was_ready or self._before_restart is None:
            pause = backoff.next_pause()
            what = "ended" if was_ready else "did not come up"
            code = self._program.exit_code if self._program else None
            self._say(f"The {self._name} {what} ({_how(code)}). It is started again in {pause:.1f} s.")
            await asyncio.sleep(pause)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the last program; `None` while it runs."""
        return self._program.exit_code if self._program else None

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self._program is not None:
            self._program.signal(number)

    async def drain(self) -> None:
        """Ask it to end, and wait as long as that takes. It is not started again."""
        await self._keeping.close()
        if self._program is not None:
            self._program.signal(signal.SIGTERM)
            await self._program.wait()

    async def stop(self, timeout_seconds: float) -> None:
        """End it by SIGTERM, and by SIGKILL if that is not enough."""
        await self._keeping.close()
        if self._program is not None:
            await self._program.stop(timeout_seconds)


def _how(code: int | None) -> str:
    if code is None:
        return "it said nothing"
    if code < 0:
        return f"by {signal_name(-code)}"
    return f"exit code {code}"
