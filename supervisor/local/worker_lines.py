"""The worker's log as others read it: from lines of text (`supervisor.logs`) back to what was logged. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Final

_QUOTED: Final = r'(?:"(?:[^"\\]|\\.)*"|[^\s"\]]+)'
_STEP: Final = rf"(?: step={_QUOTED})?"
_ORIGIN: Final = rf"(?: logger={_QUOTED})?"
_HEAD: Final = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<level>[A-Z]+) +(?P<logger>[\w.]+): "
    rf"(?:\[job=(?P<job>\S+) block=(?P<block>\S+){_STEP}(?: (?P<stream>stdout|stderr))?{_ORIGIN}\] )?(?P<text>.*)"
)
_INDENT: Final = "    "
_READY: Final = "The worker is ready:"
_RELOADED: Final = "The worker is reloaded:"
_ENDED: Final = re.compile(
    r"Job (?P<job>\S+)(?:: (?:success|failed) \((?P<cause>\w+)\) after | is not run \((?P<refused>\w+)\): )"
)

LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``continued`` marks one that belongs to the record of the line before it.

    ``job`` and ``block`` are empty for what the worker says of itself; ``stream`` is ``stdout`` or ``stderr`` for
    what a block has printed. ``raw`` is the line as it was. A line that is none of the log's has no ``time``.
    """

    text: str
    raw: str = ""
    time: str = ""
    level: str = "INFO"
    logger: str = ""
    job: str = ""
    block: str = ""
    stream: str = ""
    continued: bool = False

    @property
    def says_ready(self) -> bool:
        """Whether the worker says that it is registered and asks for jobs."""
        return self._is_ours and self.text.startswith(_READY)

    @property
    def says_reloaded(self) -> bool:
        """Whether the worker says that it has new code."""
        return self._is_ours and self.text.startswith(_RELOADED)

    @property
    def _is_ours(self) -> bool:
        # What a block logs or prints has other loggers, so that it can't speak in the worker's name.
        return self.logger.startswith("supervisor.") and not self.continued

    @property
    def ended(self) -> "Ended | None":
        """What the line says of a job's end, if that is what it is about."""
        match = _ENDED.match(self.text) if self._is_ours else None
        if match is None:
            return None
        return Ended(match["job"], match["cause"] or match["refused"])


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has ended, by the worker's log."""

    job: str
    cause: str


class Reader:
    """Reads the lines of one log in their order."""

    def __init__(self) -> None:
        self._last = Line("")

    def read(self, text: str) -> Line:
        """Return what ``text``, the next line, says."""
        match = _HEAD.fullmatch(text)
        if match is not None:
            found = match.groupdict(default="")
            self._last = Line(
                found["text"],
                raw=text,
                time=found["time"],
                level=found["level"],
                logger=found["logger"],
                job=found["job"],
                block=found["block"],
                stream=found["stream"],
            )
            return self._last
        if text.startswith(_INDENT) and self._last.time:
            return replace(self._last, text=text.removeprefix(_INDENT), raw=text, continued=True)
        self._last = Line(text, raw=text)
        return self._last
