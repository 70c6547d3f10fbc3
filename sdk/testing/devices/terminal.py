"""One SSH channel of an emulated device: the command line behind a terminal, with the scripted faults."""

import asyncio

import asyncssh

from sdk.testing.devices.faults import Faults
from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.line_editor import LineEditor

_READ_CHARACTERS = 4096


class _ConnectionCutError(Exception):
    """The script says to cut the connection here."""


class Terminal:
    """Serves one session until the client leaves, logs out, or a fault ends it."""

    def __init__(self, process: asyncssh.SSHServerProcess[str], cli: IosCli, faults: Faults) -> None:
        self._process = process
        self._cli = cli
        self._faults = faults
        self._editor = LineEditor()

    async def serve(self) -> None:
        """Run the session. Cancellation ends it; a client that goes away is the normal end."""
        try:
            if self._faults.no_prompt:
                await asyncio.Event().wait()
            if self._process.subsystem is not None:
                self._process.exit(1)
                return
            if self._process.command is not None:
                await self._answer(self._process.command)
            else:
                await self._interact()
            self._process.exit(0)
        except _ConnectionCutError:
            self._process.channel.get_connection().abort()
        except (asyncssh.Error, OSError):
            # The client is gone or broke the protocol; nobody is left to tell.
            self._process.close()

    async def _interact(self) -> None:
        self._process.stdout.write("\r\n" + self._cli.state.prompt())
        while not self._cli.state.closed:
            try:
                received = await self._process.stdin.read(_READ_CHARACTERS)
            except (asyncssh.BreakReceived, asyncssh.SignalReceived, asyncssh.TerminalSizeChanged):
                continue
            if not received:
                return
            for character in received:
                await self._take(character)

    async def _take(self, character: str) -> None:
        question = self._cli.state.question
        echo, line = self._editor.feed(character, echo=question is None or not question.secret)
        self._process.stdout.write(echo)
        if line is None or self._cli.state.closed:
            return
        await self._answer(line)
        if not self._cli.state.closed:
            self._process.stdout.write(self._cli.state.prompt())

    async def _answer(self, line: str) -> None:
        command = " ".join(line.split())
        if command and command == self._faults.command_hang:
            await asyncio.Event().wait()
        if command and command == self._faults.endless_output:
            await self._pour()
        output = self._cli.execute(line)
        if command and command == self._faults.drop_mid_command:
            self._process.stdout.write(_for_terminal(output[: len(output) // 2]))
            await self._process.stdout.drain()
            raise _ConnectionCutError
        if output:
            self._process.stdout.write(_for_terminal(output + "\n"))

    async def _pour(self) -> None:
        number = 0
        while True:
            self._process.stdout.write(f"line {number} of an output without end\r\n")
            await self._process.stdout.drain()
            # drain() returns at once while the window is open; the pace spares the machine under test.
            await asyncio.sleep(0.01)
            number += 1


def _for_terminal(text: str) -> str:
    return text.replace("\n", "\r\n")
