"""A program that runs beside this one: started in its own session, read line by line, and always ended.

Engine, worker and device of the demo are such programs, and so are engine and worker of `supervisor local` and `dev`.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import supervisor
from supervisor.errors import SupervisorError
from supervisor.process.tasks import Tasks

_LONGEST_LINE_BYTES: Final = 2**20
_KEPT_LINES: Final = 40
_PARENT_DEATH: Final = "supervisor.commands.shared.parent_death"

LineHandler = Callable[[str, str], None]
"""Called with the program's name and each line that it prints."""


class ProgramError(SupervisorError):
    """A program did not start or did not say that it is ready. The message ends with its last output."""

    def __init__(self, reason: str, last_words: str = "") -> None:
        super().__init__(reason + last_words)
        self.reason = reason
        """The message without the last output: for users who have seen it already."""


class NotReadyError(ProgramError):
    """A running program has not said in time that it is ready."""


def path_of_our_code(source: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which `python -m` finds this package in any directory.

    A checkout that is not installed is found by the working directory, and a program may have another one.
    """
    root = Path(supervisor.__file__).parents[1]
    if root.name in {"site-packages", "dist-packages"}:
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(root), source.get("PYTHONPATH"))))}


class Program:
    """A running `python -m MODULE`. Messages call it `name`."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        on_line: LineHandler,
        for_people: Callable[[str], str] = str,
    ) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._on_line = on_line
        self._for_people = for_people
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._awaited: list[tuple[re.Pattern[str], asyncio.Future[re.Match[str]]]] = []
        self._reading = Tasks().start(self._read(), f"reading of the {name}'s output")

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        on_line: LineHandler,
        stdin_line: str = "",
        for_people: Callable[[str], str] = str,
    ) -> Self:
        """Start `python -m` with `arguments`. `stdin_line` is all that it can read.

        `for_people` turns a line into the form that is shown if its last lines are quoted.
        Call it in the thread that ends last: the program ends with it (`supervisor.commands.shared.parent_death`).
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _PARENT_DEATH,
            str(os.getpid()),
            *arguments,
            env=dict(environment),
            cwd=directory,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE_BYTES,
            # In its own session: a Ctrl-C goes only to this process, which then ends its programs in order.
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(f"{stdin_line}\n".encode())
        process.stdin.close()
        return cls(name, process, on_line, for_people)

    async def wait_for_line(self, pattern: str, timeout_seconds: float) -> re.Match[str]:
        """Return the first match in a line that comes, or that is among the last lines.

        Raises `ProgramError` if the program ends, and `NotReadyError` if no such line comes in time.
        """
        wanted = re.compile(pattern)
        for line in self._lines:
            if match := wanted.search(line):
                return match
        found: asyncio.Future[re.Match[str]] = asyncio.get_running_loop().create_future()
        awaited = (wanted, found)
        self._awaited.append(awaited)
        try:
            async with asyncio.timeout(timeout_seconds):
                either: tuple[asyncio.Future[Any], ...] = (found, self._reading)
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if found.done():
                    return found.result()
                code = await self._process.wait()
        except TimeoutError:
            reason = f"The {self.name} was not ready within {timeout_seconds:g} s."
            raise NotReadyError(reason, self.last_words()) from None
        finally:
            self._awaited.remove(awaited)
        reason = f"The {self.name} ended with exit code {code} before it was ready."
        raise ProgramError(reason, self.last_words())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._next_line(self._process.stdout):
            text = line.decode(errors="backslashreplace").rstrip()
            self._lines.append(text)
            # Here, at each line: lines of one read are all handled before any waiter has its turn.
            for wanted, found in self._awaited:
                if not found.done() and (match := wanted.search(text)):
                    found.set_result(match)
            self._on_line(self.name, text)

    @staticmethod
    async def _next_line(output: asyncio.StreamReader) -> bytes:
        try:
            return await output.readline()
        except ValueError:  # the line is far too long, and asyncio has dropped what it had of it
            return b"(a line that is too long)\n"

    async def wait(self) -> int:
        """Wait until it has ended and return the exit code, negative for a signal. Cancelling leaves it running."""
        code = await self._process.wait()
        # A descendant may hold the pipe open: then the end of the output never comes.
        await asyncio.wait((self._reading,), timeout=1)
        return code

    def signal(self, number: int) -> None:
        """Send it a signal. A program that has ended gets none."""
        # The process's own send_signal first looks whether it has ended. So it takes the exit code away from asyncio's
        # watcher, which then reports 255.
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    @property
    def is_running(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; `None` while it runs."""
        return self._process.returncode

    @property
    def last_line(self) -> str:
        """The last line of its output so far."""
        return self._lines[-1] if self._lines else ""

    def last_words(self) -> str:
        """Return the end of its output, indented, after a line break; empty without output."""
        return "".join(f"\n    {self._for_people(line)}" for line in self._lines)

    async def stop(self, timeout_seconds: float) -> int:
        """Send SIGTERM, and SIGKILL if that is not enough; return the exit code, negative for a signal.

        Returns when its whole output has been handled. Cancelling kills it at once.
        """
        try:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        code = await self.wait()
        self._reading.cancel()
        return code
