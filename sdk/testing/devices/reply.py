"""How the answer to one command is sent: whole, or as the fault script says."""

import asyncio
from typing import Final

import asyncssh

from sdk.errors import SdkError
from sdk.testing.devices.faults import Faults
from sdk.testing.devices.front import Front

_ASKED: Final = "Are you sure you want to continue? [y/n]: "
_LINE: Final = "line {:09d} of an output that is far too long for anyone to read it\r\n"
_WRITE_BYTES: Final = 65536


class ConnectionCutError(SdkError):
    """The script says to cut the connection here."""


def for_terminal(text: str) -> str:
    """Return `text` with the line ends of a terminal."""
    return text.replace("\n", "\r\n")


class Reply:
    """The answer to one command. `faults` say what happens to it."""

    def __init__(
        self, faults: Faults, command: str, stdout: asyncssh.SSHWriter[str], front: Front | None
    ) -> None:
        self._faults = faults
        self._command = command
        self._stdout = stdout
        self._front = front

    def _is(self, command: str | None) -> bool:
        return bool(self._command) and self._command == command

    async def before(self) -> None:
        """Do what the script wants in place of an answer. Does not return if there must be no answer."""
        if self._front is not None and self._is(self._faults.half_open_at):
            self._front.go_silent()
        if self._front is not None and self._is(self._faults.stops_reading_at):
            self._front.stop_reading()
        if self._is(self._faults.command_hang):
            await asyncio.Event().wait()
        if self._is(self._faults.question_at):
            self._stdout.write(_ASKED)
            await asyncio.Event().wait()
        if self._is(self._faults.endless_output):
            await self._pour()
        if self._is(self._faults.large_output):
            await self._send_large(self._faults.large_output_bytes)

    def own_output(self) -> str | None:
        """Return the script's own answer to this command, None if the device answers."""
        if self._is(self._faults.large_output):
            return ""
        return self._faults.outputs.get(self._command) if self._command else None

    async def send(self, text: str) -> None:
        """Send what comes after the echo: the output, and the prompt."""
        if self._is(self._faults.drop_mid_command):
            self._stdout.write(text[: len(text) // 2])
            await self._stdout.drain()
            raise ConnectionCutError
        if self._is(self._faults.pause_in):
            at = self._faults.pause_at_byte
            self._stdout.write(text[:at])
            await self._stdout.drain()
            await asyncio.sleep(self._faults.pause_seconds)
            text = text[at:]
        self._stdout.write(text)

    async def _pour(self) -> None:
        number = 0
        while True:
            self._stdout.write(f"line {number} of an output without end\r\n")
            await self._stdout.drain()
            # drain() returns at once while the window is open. This pace spares the tested machine.
            await asyncio.sleep(0.01)
            number += 1

    async def _send_large(self, size_bytes: int) -> None:
        length = len(_LINE.format(0))
        lines_at_once = max(1, _WRITE_BYTES // length)
        count = -(-size_bytes // length)
        for start in range(0, count, lines_at_once):
            numbers = range(start, min(count, start + lines_at_once))
            self._stdout.write("".join(map(_LINE.format, numbers)))
            await self._stdout.drain()
            await asyncio.sleep(0)
