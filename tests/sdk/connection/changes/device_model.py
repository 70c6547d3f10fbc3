"""A device in memory that takes configuration lines as a real one does, written without the code under test."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from sdk.connection.causes import Cause
from sdk.connection.changes.device import ConfirmTimer
from sdk.connection.changes.dialect import Dialect, words
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.deadline import Deadline
from sdk.connection.errors import fail

DIALECT = Dialect(
    noise=re.compile(r"Building configuration"),
    closers=re.compile(r"end|exit"),
    single=words(r"one\d|hostname"),
    kept=re.compile(r"port \d"),
    ordered=re.compile(r"list \d"),
    defaults=re.compile(r"on\d"),
    shortened=words(r"one\d"),
    cascades=re.compile(r"(peer \d) as$"),
)
"""The dialect of this device: `one1 x` replaces `one1 y`, ports can't be removed, in a `list` the order counts."""


@dataclass
class Section:
    """Lines by their text; those of a section have one in turn."""

    lines: dict[str, Section] = field(default_factory=dict)

    def text(self, depth: int = 0) -> str:
        return "".join(
            f"{' ' * depth}{text}\n{inside.text(depth + 1)}" for text, inside in self.lines.items()
        )


class ModelDevice:
    """Takes lines; says no to what it can't do; forgets what it never shows (`banner …`)."""

    where = "model"
    dialect = DIALECT

    def __init__(self, text: str = "") -> None:
        self.root = Section()
        self.clock = itertools.count()
        self.refuse: re.Pattern[str] = re.compile(r"bad.*")
        self.sent: list[str] = []
        self.timer: tuple[str, ConfirmTimer] | None = None
        self.no_timer_because: str | None = None
        self.fails_at: int | None = None
        self.failure: Exception | None = None
        self.startup: str | None = None
        if text:
            self.load(text)

    def load(self, text: str) -> None:
        path: list[tuple[int, Section]] = [(-1, self.root)]
        for line in text.splitlines():
            indent = len(line) - len(line.lstrip())
            while path[-1][0] >= indent:
                path.pop()
            inside = path[-1][1].lines.setdefault(line.strip(), Section())
            path.append((indent, inside))

    def text(self) -> str:
        return f"Building configuration {next(self.clock)}\n{self.root.text()}end\n"

    def get_config(self, *, deadline: Deadline, source: str = "running") -> str:
        del deadline
        self._maybe_fail()
        if source == "startup":
            if self.startup is None:
                raise fail(Cause.NOT_SUPPORTED, self.where, platform="model", what="startup configuration")
            return self.startup
        return self.text()

    def enter_configuration(self, *, deadline: Deadline) -> None:
        del deadline

    def leave_sections(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        del line, deadline
        return ""

    def leave_configuration(self, *, deadline: Deadline) -> str:
        del deadline
        return ""

    def send_config_line(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        del deadline
        self._maybe_fail()
        self.sent.append(str(line))
        section = self.root
        for header in line.parents:
            section = section.lines.setdefault(header, Section())
        return self._take(section, line.text)

    def _maybe_fail(self) -> None:
        if self.fails_at is not None and len(self.sent) >= self.fails_at:
            assert self.failure is not None
            raise self.failure

    def _take(self, section: Section, text: str) -> str:
        if self.refuse.fullmatch(text):
            return f"% Unknown command: {text}"
        if text.removeprefix("no ").startswith("banner"):
            return ""
        if text.startswith("no "):
            return self._remove(section, text[3:])
        kind = text.split()[0]
        if re.fullmatch(r"on\d", text):
            section.lines.pop(f"no {text}", None)
            return ""
        if re.fullmatch(r"one\d|hostname", kind):
            _replace(section, kind, text)
            return ""
        section.lines.setdefault(text, Section())
        return ""

    def _remove(self, section: Section, text: str) -> str:
        if re.fullmatch(r"on\d", text):
            section.lines.setdefault(f"no {text}", Section())
            return ""
        if re.fullmatch(r"port \d", text):
            return "% Ports can't be removed"
        if re.fullmatch(r"one\d", text):
            _replace(section, text, None)
            return ""
        match = re.fullmatch(r"(peer \d) as", text)
        if text not in section.lines:
            return "% There is no such line"
        del section.lines[text]
        if match:
            for other in [each for each in section.lines if each.startswith(f"{match[1]} ")]:
                del section.lines[other]
        return ""

    def why_no_timer(self) -> str | None:
        return self.no_timer_because

    def start_timer(
        self, seconds: float, inverse: tuple[ConfigurationLine, ...], *, deadline: Deadline
    ) -> ConfirmTimer:
        del inverse, deadline
        self.timer = (self.root.text(), ConfirmTimer("timer", seconds))
        return self.timer[1]

    def run_out(self) -> None:
        """The timer's time has come."""
        assert self.timer is not None
        self.root = Section()
        self.load(self.timer[0])
        self.timer = None

    def cancel_timer(self, timer: ConfirmTimer, *, deadline: Deadline) -> bool:
        del timer, deadline
        was_running, self.timer = self.timer is not None, None
        return was_running


def _replace(section: Section, kind: str, text: str | None) -> None:
    lines = {}
    is_placed = text is None
    for each, inside in section.lines.items():
        if each.split()[0] != kind:
            lines[each] = inside
        elif not is_placed and text is not None:
            lines[text] = Section()
            is_placed = True
    if not is_placed and text is not None:
        lines[text] = Section()
    section.lines = lines
