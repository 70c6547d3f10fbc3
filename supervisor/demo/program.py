"""One program of the demo: started in a session of its own, read line by line, ended in any case."""

import asyncio
import contextlib
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from supervisor.demo.errors import DemoError

_LONGEST_LINE_BYTES: Final = 2**20
_KEPT_LINES: Final = 40

LineHandler = Callable[[str, str], None]
"""Called with the program's name and each line that it prints."""


class Program:
    """A running `python -m MODULE`. ``name`` is what messages call it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, on_line: LineHandler) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name=f"output of the {name}")

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
    ) -> Self:
        """Start ``python -m`` with ``arguments``. ``stdin_line`` is all that it can read."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            env=dict(environment),
            cwd=directory,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE_BYTES,
            # Out of the terminal's reach: a Ctrl-C is for the demo, which then ends its programs in order.
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(f"{stdin_line}\n".encode())
        process.stdin.close()
        return cls(name, process, on_line)

    async def wait_for_line(self, pattern: str, timeout_seconds: float) -> re.Match[str]:
        """Return the first match in a line that is printed. Raises `DemoError` when it ends or stays silent."""
        wanted = re.compile(pattern)
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    for line in self._lines:
                        if match := wanted.search(line):
                            return match
                    if self._reading.done():
                        code = await self._process.wait()
                        raise DemoError(
                            f"The {self.name} ended with exit code {code} before it was ready.{self.last_words()}"
                        )
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            reason = f"The {self.name} was not ready within {timeout_seconds:g} s."
            raise DemoError(reason + self.last_words()) from None

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                text = line.decode(errors="backslashreplace").rstrip()
                self._lines.append(text)
                self._news.set()
                self._on_line(self.name, text)
        finally:
            self._news.set()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def last_line(self) -> str:
        """The last line that it printed so far."""
        return self._lines[-1] if self._lines else ""

    def last_words(self) -> str:
        """Return what it printed last, indented, after a line break; empty when it printed nothing."""
        return "".join(f"\n    {line}" for line in self._lines)

    async def stop(self, timeout_seconds: float) -> int:
        """Send SIGTERM, and SIGKILL when that is not enough; return the exit code, negative for a signal.

        Returns when everything that it printed has been handled. Cancelling kills it at once.
        """
        try:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        code = await self._process.wait()
        # A descendant may hold the pipe open; then the end of the output never comes.
        await asyncio.wait((self._reading,), timeout=1)
        self._reading.cancel()
        return code
