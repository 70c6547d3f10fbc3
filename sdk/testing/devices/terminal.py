"""One SSH channel of an emulated device: the command line in a terminal, with paging and scripted faults."""

import asyncio
from collections.abc import Callable

import asyncssh

from sdk.testing.devices.faults import Faults
from sdk.testing.devices.front import Front
from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.ios_state import Question
from sdk.testing.devices.line_editor import LineEditor
from sdk.testing.devices.pager import Pager
from sdk.testing.devices.reply import ConnectionCutError, Reply, for_terminal

_READ_CHARACTERS = 4096
_NEW_PROMPT = "standby-"


class Terminal:
    """Serves one session until the client leaves, logs out, or a fault ends it."""

    def __init__(
        self,
        process: asyncssh.SSHServerProcess[str],
        cli: IosCli,
        faults: Callable[[], Faults],
        front: Front | None = None,
        note: Callable[[str], object] = len,
    ) -> None:
        self._process = process
        self._cli = cli
        self._faults = faults
        self._front = front
        self._note = note
        self._editor = LineEditor()
        self._echo = ""
        self._pager: Pager | None = None
        self._prompt_prefix = ""

    async def serve(self) -> None:
        """Run the session. Cancellation ends it; a client that goes away is the normal end."""
        try:
            if self._faults().no_prompt:
                await asyncio.Event().wait()
            if self._process.subsystem is not None:
                self._process.exit(1)
                return
            if self._process.command is not None:
                await self._answer(self._process.command, pages=False)
            else:
                await self._interact()
            self._process.exit(0)
        except ConnectionCutError:
            self._process.channel.get_connection().abort()
        except (asyncssh.Error, OSError):
            # The client is gone or broke the protocol, so nobody can get an answer.
            self._process.close()
        except Exception:
            # This is our own error, and asyncio reports it. The client must not wait for an answer until its limit.
            self._process.close()
            raise

    async def _interact(self) -> None:
        faults = self._faults()
        if faults.expired_in_shell:
            self._cli.state.question = Question("New password: ", lambda state, _: _close(state), secret=True)
            self._write("Your password has expired.\nYou must change it now.\n")
        self._write(faults.login_banner + "\n" + self._prompt())
        while not self._cli.state.closed:
            try:
                received = await self._process.stdin.read(_READ_CHARACTERS)
            except (asyncssh.BreakReceived, asyncssh.SignalReceived, asyncssh.TerminalSizeChanged):
                continue
            if not received:
                return
            for character in received:
                await self._take(character)
            self._show_echo()

    async def _take(self, character: str) -> None:
        if self._cli.state.closed:
            return
        question = self._cli.state.question
        if self._pager is not None:
            self._turn_page(character)
        elif question is not None and question.takes_a_key:
            key = self._editor.feed_key(character)
            if key is not None:
                self._write("\n")
                await self._answer(key)
        else:
            echo, line = self._editor.feed(character, echo=question is None or not question.secret)
            self._echo += echo
            if line is not None:
                self._show_echo()
                await self._answer(line)

    def _show_echo(self) -> None:
        """Echo at once what came at once: a packet for each character would be most of a session's work."""
        if self._echo:
            self._process.stdout.write(self._echo)
            self._echo = ""

    def _turn_page(self, character: str) -> None:
        assert self._pager is not None
        key = self._editor.feed_key(character)
        if key is None:
            return
        text = self._pager.key(key)
        if not self._pager.rest:
            self._pager = None
            text += self._prompt()
        self._write(text)

    async def _answer(self, line: str, *, pages: bool = True) -> None:
        faults, state = self._faults(), self._cli.state
        command = " ".join(line.split()) if state.question is None else ""
        page_lines = state.page_lines
        if command:
            self._note(command)
        reply = Reply(faults, command, self._process.stdout, self._front)
        await reply.before()
        output = reply.own_output()
        if output is None:
            output = self._cli.execute(line)
        if command and command == faults.changed_prompt_at:
            self._prompt_prefix = _NEW_PROMPT
        if faults.pager_stays_on and not state.page_lines:
            state.page_lines = page_lines
        text = f"{output}\n" if output else ""
        if pages and output and 0 < state.page_lines <= output.count("\n") and not state.closed:
            self._pager = Pager(output.split("\n"), state.page_lines)
            text = self._pager.first()
        if self._pager is None and self._process.command is None and not state.closed:
            text += self._prompt() + faults.behind_prompt.get(command, "")
        await reply.send(for_terminal(text))

    def _prompt(self) -> str:
        return self._prompt_prefix + self._cli.state.prompt()

    def _write(self, text: str) -> None:
        self._process.stdout.write(for_terminal(text))


def _close(state: object) -> str:
    state.closed = True  # type: ignore[attr-defined]
    return "Authentication token manipulation error"
