"""When the output of a command is complete. A state machine without I/O and clock: texts in, steps out.

A prompt counts only at the end of the text, and only when it is confirmed: a line of blanks is sent after it, and the
device must answer with the echo of that line and the prompt again. An output can hold any line, also one like the
prompt, and stop after it for any time. But it can't hold the echo of a line that was made up a moment ago.
The number of blanks is random. On a device that does not echo blanks the line is empty.

A device may print something after its prompt, as IOS does about a timer, and then show no prompt until somebody types.
So such a line is also sent if nothing more comes and a line above began like the prompt.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdk.connection.prompt import (
    MODE_LINE,
    Ask,
    clean,
    follows_prompt,
    has_prompt_above,
    is_mode_line,
    last_line,
    looks_like_prompt,
    mode_above,
    shape,
    stem,
    what_is_asked,
    what_may_be_asked,
)

SETTLE_SECONDS: Final = 0.01
"""How long nothing must come after the known prompt before this asks to confirm it."""
RELATED_PROMPT_SECONDS: Final = 0.05
"""The same for a prompt with the same name and another end, as in another mode, and for the first prompt."""
CHANGED_PROMPT_SECONDS: Final = 0.25
"""The same for a line that only looks like a prompt."""
REPEAT_SECONDS: Final = 1.5
"""How long a confirmation may be missing before the next one is sent: some devices drop what is typed ahead."""
ASKED_SECONDS: Final = 2.0
"""How long nothing must come after a pager or a question before it counts as one; the same for a hidden prompt."""

_TAIL_CHARACTERS: Final = 4096
_MOST_BLANKS: Final = 24
_SLOWEST_REPEAT_SECONDS: Final = 12.0
# Some devices print an empty line, or their mode, between the echo and the second prompt.
_BETWEEN: Final = rf"[ \t]*\n|{MODE_LINE}\n"
# Without empty lines alone, if a device printed none at its first prompt: one could be the end of an output line.
_BETWEEN_WITHOUT_BLANKS: Final = rf"(?:[ \t]*\n)?{MODE_LINE}\n"


@dataclass(frozen=True, slots=True)
class Wait:
    """Read on; call `step` again when something came, or nothing for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Confirm:
    """Send `line`, which holds only blanks."""

    line: str


@dataclass(frozen=True, slots=True)
class Done:
    """The output is complete. `prompt` is what the device shows now, `mode` are the lines above that name its mode."""

    prompt: str
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The device waits for something that is not a command, and has sent nothing more for a while."""

    ask: Ask
    line: str


Step = Wait | Confirm | Done | Asked


def _random_blanks() -> int:
    return random.randint(1, _MOST_BLANKS)  # noqa: S311  # must not be in an output by chance; no attacker guesses it


class Reading:
    """The text that came since a command was sent.

    Args:
        prompt: the last prompt, exactly; None if none is known yet: then any line that looks like a prompt counts.
        has_blank_gap: whether the device may print empty lines before a prompt.
        echoes_blanks: whether the device echoes blanks.
        most_characters: the most that is kept; if more comes, the output counts as cut.
        repeat_seconds: how long a confirmation may be missing before the next one is sent.
        blanks: gives the number of blanks of the next confirmation.
    """

    def __init__(
        self,
        prompt: str | None,
        *,
        has_blank_gap: bool = True,
        echoes_blanks: bool = True,
        most_characters: int | None = None,
        repeat_seconds: float = REPEAT_SECONDS,
        blanks: Callable[[], int] = _random_blanks,
    ) -> None:
        self._prompt = prompt
        self._between = _BETWEEN if has_blank_gap else _BETWEEN_WITHOUT_BLANKS
        self.has_blank_gap = has_blank_gap
        self.echoes_blanks = echoes_blanks
        self._most = most_characters
        self._blanks = blanks
        self._parts: list[str] = []
        self._length = 0
        self._tail = ""
        self.is_cut = False
        # The place in the raw text at which each confirmation was sent, and its line.
        self._sent: list[tuple[int, str]] = []
        self._mode = ""
        self._repeat_seconds = repeat_seconds
        self._nudge_seconds = ASKED_SECONDS
        self._unechoed_answers = 0

    def feed(self, text: str) -> None:
        """Take the text that came."""
        self._tail = (self._tail + text)[-_TAIL_CHARACTERS:]
        self._length += len(text)
        if not self.is_cut:
            self._parts.append(text)
            self.is_cut = self._most is not None and self._length > self._most

    @property
    def tail(self) -> str:
        """The end of the text, cleaned."""
        return clean(self._tail)

    def step(self, quiet_seconds: float) -> Step:
        """Return what to do next if nothing has come for `quiet_seconds`."""
        tail = self.tail
        line = last_line(tail)
        is_known = self._prompt is not None and shape(line) == shape(self._prompt)
        if line.strip() and (is_known or follows_prompt(line, self._prompt)):
            pause = SETTLE_SECONDS if is_known else self._pause_at(line)
            return self._step_at_prompt(tail, line, quiet_seconds, pause)
        if quiet_seconds < ASKED_SECONDS:
            return Wait(ASKED_SECONDS - quiet_seconds)
        asked = what_is_asked(line)
        if asked is not None:
            return Asked(asked, line)
        if quiet_seconds < self._nudge_seconds or what_may_be_asked(line) is not None:
            return Wait(ASKED_SECONDS)
        if not has_prompt_above(tail, self._prompt):
            return Wait(ASKED_SECONDS)
        self._nudge_seconds = min(2 * self._nudge_seconds, _SLOWEST_REPEAT_SECONDS)
        return self._confirm()

    def _pause_at(self, line: str) -> float:
        if self._prompt is None or line.startswith(stem(self._prompt) or "\n"):
            return RELATED_PROMPT_SECONDS
        return CHANGED_PROMPT_SECONDS

    def _step_at_prompt(self, tail: str, line: str, quiet_seconds: float, pause: float) -> Step:
        is_open, since = False, ""
        if self._sent:
            since = self._since_last()
            if self._is_answered(tail, since, line):
                return self._done(since, line)
            said = [each for each in since.split("\n") if each.strip() and not is_mode_line(each)]
            is_open = all(shape(each) == shape(line) for each in said)
        if is_open:
            pause = self._repeat_seconds
        if quiet_seconds < pause:
            return Wait(pause - quiet_seconds)
        if is_open:
            self._repeat_seconds = min(2 * self._repeat_seconds, _SLOWEST_REPEAT_SECONDS)
            self._unechoed_answers += "\n" in since and last_line(since) == line
            if self._unechoed_answers > 1:
                self.echoes_blanks = False
                return self._done(since, line)
        return self._confirm()

    def _done(self, since: str, line: str) -> Done:
        self._mode = mode_above(since)
        return Done(line, self._mode)

    def _since_last(self) -> str:
        count = self._length - self._sent[-1][0]
        return clean(self._tail[-count:]) if count else ""

    def _is_answered(self, tail: str, since: str, line: str) -> bool:
        """Whether the last confirmation is at the end, between two prompts, and came after it was sent."""
        # One sign alone is not enough: if the confirmations are empty lines, the output may hold the same.
        answer = rf"{re.escape(self._sent[-1][1])}\n{self._gap_before(line)}{_like(line)}\Z"
        found = re.search(answer, since)
        if found is None or not re.search(rf"(?:^|\n){_like(line)}{answer}", tail):
            return False
        self.has_blank_gap = "\n\n" in found[0]
        return True

    def _confirm(self) -> Confirm:
        line = ""
        if self.echoes_blanks:
            last = self._sent[-1][1] if self._sent else ""
            while line in ("", last):
                line = " " * self._blanks()
        self._sent.append((self._length, line))
        return Confirm(line)

    def output_so_far(self, command: str) -> str:
        """Return what has come, without the echo of the command."""
        return without_echo(clean("".join(self._parts)), command)

    def output(self, command: str) -> str:
        """Return what the command printed: without its echo, the confirmations and the prompt."""
        if self._most is not None and self.is_cut:
            return without_echo(clean("".join(self._parts)), command)[: self._most]
        text = clean(self._without_echoes_ahead())
        line = last_line(text)
        text = text[: len(text) - len(line)]
        for _, sent in reversed(self._sent):
            pattern = re.compile(
                rf"(?:^|(?<=\n)){_like(line)}(?:{re.escape(sent)})?\n{self._gap_before(line)}\Z"
            )
            # Only near the end: in 20 MB the pattern would be tried at each line.
            if found := pattern.search(text, max(0, len(text) - _TAIL_CHARACTERS)):
                text = text[: found.start()]
        # The mode is also above the first prompt, after the output. The output may end in the same words.
        if self._mode and f"\n{text}".endswith(f"\n{self._mode}\n"):
            text = text[: -len(self._mode) - 1]
        return without_echo(text, command)

    def _gap_before(self, line: str) -> str:
        """A pattern for what may come before this prompt. The prompt itself may look like a mode: `[r1]`."""
        return rf"(?:(?!{_like(line)} *\n)(?:{self._between})){{0,3}}"

    def _without_echoes_ahead(self) -> str:
        """The raw text without the confirmations that a terminal has echoed into the middle of the output.

        While a command runs, the terminal of a shell echoes typed text as it comes. The shell echoes it again when it
        reads it.
        """
        raw = "".join(self._parts)
        line = last_line(self.tail)
        for position, sent in reversed(self._sent if self.echoes_blanks else []):
            end = next((end for end in ("\r\n", "\n") if raw.startswith(sent + end, position)), None)
            if end is None:
                continue
            rest = raw[position + len(sent + end) :]
            gap = self._gap_before(line)
            answers = rf"{gap}(?:{_like(line)} *\n{gap})*{_like(line)}"
            # The shell's own echo comes after a prompt, has a prompt after it, and comes once.
            is_behind_prompt = shape(last_line(clean(raw[:position][-_TAIL_CHARACTERS:]))) == shape(line)
            after = clean(rest) if len(rest) <= _TAIL_CHARACTERS else ""
            comes_again = re.search(rf"{_like(line)}{re.escape(sent)}\n", after)
            if not is_behind_prompt or comes_again or not re.fullmatch(answers, after):
                raw = raw[:position] + rest
        return raw


def _like(prompt: str) -> str:
    """A pattern for a prompt whose numbers may differ."""
    return re.sub(r"\d+", r"\\d+", re.escape(prompt))


_WRAP: Final = r"[\s\x08$]*"


def without_echo(text: str, command: str) -> str:
    """Return `text` without the line that echoes the command, and without the prompt before it."""
    wanted = command.strip()
    if not wanted:
        return text
    # The terminal wraps a long command: blanks, backspaces and line feeds may be anywhere in it.
    pattern = _WRAP.join(re.escape(sign) for sign in re.sub(r"\s", "", wanted))
    head = text[: 4 * len(wanted) + 400]
    for found in re.finditer(pattern + r"[ \t\x08]*(?:\n|\Z)", head):
        *before, partial = head[: found.start()].split("\n")
        if all(not line.strip() or looks_like_prompt(line) for line in (*before, partial)):
            return text[found.end() :]
        return text
    first, _, rest = text.partition("\n")
    # The line was scrolled to the left: the rest of the echo is full of backspaces.
    return rest if "\x08" in first else text
