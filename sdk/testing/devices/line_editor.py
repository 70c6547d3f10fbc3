"""The terminal side of a device: echo, backspace and line ends. Pure: characters in, events out."""

from dataclasses import dataclass, field

_INTERRUPT = "\x03"
_END_OF_INPUT = "\x04"
_KILL_LINE = "\x15"
_CONTROL_Z = "\x1a"
_BACKSPACES = ("\x08", "\x7f")
# Nobody types a longer line. The rest of it is dropped, to limit memory.
_MAX_LINE_LENGTH = 4096


@dataclass(slots=True)
class LineEditor:
    """Collects one line at a time.

    `feed` returns what to echo and, when a line is complete, the line. A control-Z on an empty line counts as
    the line `end`, as on IOS; a control-D there as `exit`.
    """

    _characters: list[str] = field(default_factory=list)
    _after_return: bool = False

    def feed(self, character: str, *, echo: bool) -> tuple[str, str | None]:
        """Take one character; return (text to echo, completed line or None)."""
        after_return, self._after_return = self._after_return, character == "\r"
        if character == "\n" and after_return:
            return "", None
        if character in ("\r", "\n"):
            return "\r\n", self._take()
        if character in _BACKSPACES:
            return self._rub_out(1, echo=echo), None
        if character == _KILL_LINE:
            return self._rub_out(len(self._characters), echo=echo), None
        if character == _INTERRUPT:
            self._characters.clear()
            return "^C\r\n", ""
        if character in (_CONTROL_Z, _END_OF_INPUT) and not self._characters:
            return "\r\n", "end" if character == _CONTROL_Z else "exit"
        if not character.isprintable() or len(self._characters) >= _MAX_LINE_LENGTH:
            return "", None
        self._characters.append(character)
        return character if echo else "", None

    def feed_key(self, character: str) -> str | None:
        """Take one character as a single key; None for the second half of a line end."""
        after_return, self._after_return = self._after_return, character == "\r"
        return None if character == "\n" and after_return else character

    def _take(self) -> str:
        line = "".join(self._characters)
        self._characters.clear()
        return line

    def _rub_out(self, count: int, *, echo: bool) -> str:
        count = min(count, len(self._characters))
        del self._characters[len(self._characters) - count :]
        return "\b \b" * count if echo else ""
