"""One session on one device: blocking, with a deadline for each step. Any thread can end it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sdk.connection.causes import Cause
from sdk.connection.command_line import fault_of, fault_of_answer
from sdk.connection.deadline import Deadline, DeadlineError
from sdk.connection.device_error import beginning_of
from sdk.connection.driver import enable_command
from sdk.connection.errors import DeviceError, SessionLogError, UnexpectedAnswerError, fail
from sdk.connection.login import Login
from sdk.connection.prompt import Ask, clean, last_line, last_words, what_may_be_asked
from sdk.connection.questions import Questions
from sdk.connection.reading import ASKED_SECONDS, Asked, Confirm, Done, Reading, Wait
from sdk.connection.session_log import SessionLog
from sdk.connection.terminal import Terminal

MOST_OUTPUT_BYTES: Final = 4_000_000
"""The limit for one command. The result of a whole job is at most 8 MB, unless the worker is set otherwise."""

_LONGEST_WAIT_SECONDS: Final = 1.0
_RESUME_SECONDS: Final = 10.0
_INTERRUPT: Final = "\x03"
_MOST_SHOWN: Final = 80

_ASKED: Final = {Ask.PAGER: Cause.PAGER, Ask.QUESTION: Cause.QUESTION, Ask.PASSWORD: Cause.PASSWORD_ASKED}


@dataclass(frozen=True, slots=True)
class Raw:
    """What a command printed, without its echo and the prompt. `is_cut`: there was more than the size limit."""

    text: str
    is_cut: bool = False
    duration_seconds: float = 0.0


class Session(Terminal):
    """The command line of one device. One step at a time; any thread may call `abort`.

    `prompt` is what the device showed last, `mode` the lines above it that name its mode, if there are any.
    `is_at_prompt`: a prompt has answered everything that was sent. `log` gets what is sent and received.
    """

    def __init__(
        self, login: Login, log: SessionLog | None = None, *, max_output_bytes: int = MOST_OUTPUT_BYTES
    ) -> None:
        super().__init__(log)
        self.login = login
        self.where = login.where
        self.prompt = ""
        self.mode = ""
        self.is_at_prompt = True
        self.echoes_blanks = True
        self.has_blank_gap = True
        self.stage: Cause = Cause.CONNECT_TIMEOUT
        self._most_bytes = max_output_bytes

    # Commands

    def send(
        self,
        command: str,
        *,
        deadline: Deadline,
        max_output_bytes: int | None = None,
        questions: Questions | None = None,
    ) -> Raw:
        """Send one line and return what came until the next prompt, which is then `prompt`.

        `questions`: the answers if the device asks something before that.

        Raises:
            BadCommandError: it is more than one line, or has keys such as Ctrl-C in it. Nothing was sent.
            DeviceError: the output did not end in time, the device asks something, or it ended the connection. After
                that the session can't be used any more.
        """
        started = time.monotonic()
        what = _the_command(command)
        self._refuse(command, fault_of(command.rstrip()))
        self._check_usable()
        with self._naming(what, deadline):
            self.discard_pending(deadline)
            reading = self._reading(max_output_bytes or self._most_bytes)
            self.write(command.rstrip() + self.driver.RETURN)
            self._read_until_prompt(reading, what, deadline, questions)
            text = reading.output(command)
            if reading.is_cut:
                self._resume(deadline)
        return Raw(text.rstrip("\n"), reading.is_cut, time.monotonic() - started)

    def interact(self, steps: Sequence[tuple[str, str | None]], *, deadline: Deadline) -> Raw:
        """Send lines one by one, each after the text has come that it answers.

        A step is a line and what the device says next: a regular expression that must be in its last lines (upper and
        lower case are the same), or None for its prompt.

        Raises:
            BadCommandError: a line is more than one, or a pattern is not a regular expression. Nothing was sent.
            DeviceError: as for `send`, and if a prompt comes instead of the expected text.
        """
        started = time.monotonic()
        # All checks come before the first line: an open dialogue would take the next command for its answer.
        for line, _ in steps:
            self._refuse(line, fault_of_answer(line))
        patterns = [self._compiled(line, expected) for line, expected in steps]
        self._check_usable()
        said: list[str] = []
        for (line, _), pattern in zip(steps, patterns, strict=True):
            what = _the_command(line if not said else "the dialogue of " + steps[0][0])
            with self._naming(what, deadline):
                reading = self._reading(self._most_bytes)
                self.write(line + self.driver.RETURN)
                if pattern is None:
                    self._read_until_prompt(reading, what, deadline)
                    said.append(reading.output(line))
                else:
                    self._read_until(pattern, reading, line, what, deadline, said)
        return Raw("\n".join(said).strip("\n"), False, time.monotonic() - started)

    def enable(self, secret: str | None, *, deadline: Deadline) -> None:
        """Enter privileged mode, if the platform has one and the prompt is that of user mode.

        Raises:
            DeviceError: the device asks for a secret and there is none, or refuses it.
        """
        self._check_usable()
        command = enable_command(self.driver)
        if command is None or not self.prompt.rstrip().endswith(">"):
            return
        what = _the_command(command)
        with self._naming(what, deadline):
            self.discard_pending(deadline)
            reading = self._reading(self._most_bytes)
            self.write(command + self.driver.RETURN)
            if self._is_password_asked(reading, what, deadline):
                if secret is None:
                    self.abort("it waits for an enable secret")
                    raise self._fail(Cause.NO_ENABLE_SECRET, last_line=self.last_line)
                reading = self._reading(self._most_bytes)
                self.write(secret + self.driver.RETURN, is_secret=True)
                if self._is_password_asked(reading, what, deadline):
                    self.abort("the enable secret was refused")
                    raise self._fail(Cause.WRONG_ENABLE_SECRET, last_line=self.last_line)
        if not self.prompt.rstrip().endswith("#"):
            said = last_words(reading.output(command))
            raise self._fail(Cause.WRONG_ENABLE_SECRET, last_line=said or self.prompt)

    def _is_password_asked(self, reading: Reading, what: str, deadline: Deadline) -> bool:
        """Read until the device asks for a password, or the prompt is there."""
        while True:
            if re.search(r"(password|secret)[^\n]*:\s*\Z", reading.tail, re.IGNORECASE):
                return True
            if self._advance(reading, what, deadline):
                return False

    def _read_until(
        self, regex: re.Pattern[str], reading: Reading, line: str, what: str, end: Deadline, said: list[str]
    ) -> None:
        while not regex.search(came := reading.output_so_far(line)):
            if self._advance(reading, what, end, asked_is_fine=True):
                said.append(reading.output(line))
                last = last_words(said[-1]) or last_words(came)  # the device's words, not its prompt
                error = self._fail(Cause.UNEXPECTED_ANSWER, what=what, expected=regex.pattern, last_line=last)
                assert isinstance(error, UnexpectedAnswerError)
                error.said = "\n".join(said).strip("\n")
                raise error
        said.append(came)

    def _read_until_prompt(
        self, reading: Reading, what: str, deadline: Deadline, questions: Questions | None = None
    ) -> None:
        while not reading.is_cut:
            answer = questions and questions.answer_to(last_line(reading.tail), self.quiet_seconds)
            if answer is not None:
                self.write(answer + self.driver.RETURN)
                # Otherwise the question would still count as the last word.
                reading.feed(self.read(ASKED_SECONDS, deadline))
            elif self._advance(reading, what, deadline):
                return

    def _advance(
        self, reading: Reading, what: str, deadline: Deadline, *, asked_is_fine: bool = False
    ) -> bool:
        """Do the next step of the reading; return whether the prompt is there."""
        step = reading.step(self.quiet_seconds)
        match step:
            case Done(prompt, mode):
                self.prompt, self.mode = prompt, mode
                self.is_at_prompt = True
                self.echoes_blanks = reading.echoes_blanks
                return True
            case Confirm(line):
                self.write(line + self.driver.RETURN)
            case Asked(ask, line) if not asked_is_fine:
                self.abort("it waits for an answer")
                raise self._fail(_ASKED[ask], what=what, last_line=line)
            case Wait(seconds):
                reading.feed(self.read(seconds, deadline))
            case _:
                reading.feed(self.read(_LONGEST_WAIT_SECONDS, deadline))
        return False

    def _resume(self, deadline: Deadline) -> None:
        """After a cut: make the device stop, and read the rest of the output, so that the session can go on."""
        reading = Reading(self.prompt, echoes_blanks=self.echoes_blanks, most_characters=0)
        until = deadline.shorter(_RESUME_SECONDS)
        try:
            self.write(_INTERRUPT)
            while not self._advance(reading, "", until):
                until.check()
        except SessionLogError:
            raise
        except (DeviceError, DeadlineError):
            self.abort("the output of a command was over the size limit, and did not end")

    # Reading and writing

    def _reading(self, most_bytes: int) -> Reading:
        """Return the object that reads the answer to the line that is sent next."""
        self.is_at_prompt = False
        return Reading(
            self.prompt or None,
            has_blank_gap=self.has_blank_gap,
            echoes_blanks=self.echoes_blanks,
            most_characters=most_bytes,
        )

    # Errors

    def _refuse(self, line: str, fault: str | None) -> None:
        if fault is not None:
            advice = "Send one line at a time; several lines are several commands."
            what = _the_command(self._shown(line))
            raise self._fail(Cause.BAD_COMMAND, what=what, detail=fault, advice=advice)

    def _compiled(self, line: str, expected: str | None) -> re.Pattern[str] | None:
        if expected is None:
            return None
        try:
            return re.compile(expected, re.IGNORECASE)
        except (re.error, TypeError, ValueError, OverflowError, RecursionError) as error:
            detail = f"its pattern {self._shown(expected)!r} is no regular expression ({error})"
            advice = "Correct the pattern; `re.escape` makes one of a plain text."
            what = _the_command(self._shown(line))
            raise self._fail(Cause.BAD_COMMAND, what=what, detail=detail, advice=advice) from None

    def _check_usable(self) -> None:
        if not self.is_usable:
            raise self._fail(Cause.SESSION_ENDED, detail=self.ended_because or "the device has ended it")

    @contextlib.contextmanager
    def _naming(self, what: str, deadline: Deadline) -> Iterator[None]:
        """Turn errors of reading and writing into the error that says what was going on.

        After an error that leaves an answer unread, the session has ended: the next command would get that answer.
        """
        try:
            yield
        except (DeadlineError, TimeoutError):
            error = self.too_late(what, deadline.seconds)
            self.abort("a command did not finish in time")
            raise error from None
        except (EOFError, OSError):
            self.abort("the device ended the connection")
            raise self._fail(Cause.CONNECTION_LOST, what=what, last_line=self.last_line) from None
        except SessionLogError:
            self.abort("its session log failed")
            raise
        except DeviceError:
            raise
        except Exception:
            # Not by `abort`: after that, nobody would get the error.
            self.ended_because = self.ended_because or "an error was raised in the middle of a command"
            raise

    def too_late(self, what: str, seconds: float) -> DeviceError:
        """Return the error for a step that did not end in time, with what the device said last."""
        line = clean(self._tail).rpartition("\n")[2]
        ask = what_may_be_asked(line)
        cause = _ASKED[ask] if ask is not None else Cause.COMMAND_TIMEOUT
        return self._fail(cause, what=what, seconds=seconds, last_line=self.last_line)

    def _fail(self, cause: Cause, **facts: Any) -> DeviceError:
        return fail(cause, self.where, secrets=self.login.secrets, **facts)

    def _shown(self, text: Any) -> Any:
        # The text may be a whole file, and hold anything; a pattern may be no text.
        return beginning_of(text, _MOST_SHOWN, self.login.secrets) if isinstance(text, str) else text


def _the_command(command: str) -> str:
    return f"the command {command.strip()!r}"
