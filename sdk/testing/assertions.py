"""What a test can assert about an outcome in one line. If it does not hold, the message says all that is known."""

from __future__ import annotations

import inspect
import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from sdk.testing.differences import difference, is_same

if TYPE_CHECKING:
    from sdk.testing.evidence import LogLine, Stall

Place = str | Callable[..., Any]
"""A place in the code: `file.py:12`, `file.py`, the name of a function, or a function."""

_LIMITS: Final = {
    "time limit": "time_limit",
    "memory limit": "memory_limit",
    "CPU limit": "cpu_limit",
    "process limit": "process_limit",
    "stall": "stalled",
}


class OutcomeAssertions:
    """Assertions on a `BlockOutcome`. Each returns the outcome, so you can write several in one line.

    Each raises `AssertionError` with what was expected, what was found, and the report of the run: its log, its
    output, and where the code was.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        success: bool
        cause: str
        message: str
        job_type: str
        data: dict[str, Any] | None
        db_updates: list[dict[str, Any]] | None
        acquires: list[dict[str, Any]] | None
        signal_name: str | None
        logs: tuple[LogLine, ...]
        stalls: tuple[Stall, ...]
        stack: str

        def report(self) -> str:
            """See `BlockOutcome.report`."""
            raise NotImplementedError

    def assert_succeeded(self, data: Mapping[str, Any] | None = None) -> Self:
        """The block returned a success; with `data`, exactly that data, as JSON."""
        __tracebackhide__ = True
        if not self.success:
            self._fail("The block was expected to succeed, and did not.")
        if data is not None:
            self._equal("The data is not as expected.", dict(data), self.data)
        return self

    def assert_failed(self, match: str | None = None) -> Self:
        """The job failed, in any way. `match` is a regular expression that must be found in its message."""
        __tracebackhide__ = True
        if self.success:
            self._fail("The block was expected to fail, and succeeded.")
        return self._matches(match)

    def assert_raised(self, kind: type[BaseException] | str, match: str | None = None) -> Self:
        """The block raised an exception of the class `kind` (the class, or its name); `match` as above."""
        __tracebackhide__ = True
        name = kind if isinstance(kind, str) else kind.__name__
        # The first "raised" is the SDK's word (`sdk.boundary`). After the name comes the author's text.
        said = self.message.partition(" raised ")[2]
        if self.cause != "block_raised" or not re.match(rf"{re.escape(name)}(?!\w)", said):
            self._fail(f"The block was expected to raise {name}, and did not.")
        return self._matches(match)

    def assert_killed(self, by: str | None = None) -> Self:
        """The worker ended the job at a limit, even if the block used its grace to end by itself.

        `by` is `time limit`, `memory limit`, `CPU limit`, `process limit` or `stall`; None for any of them.
        """
        __tracebackhide__ = True
        if by is not None and by not in _LIMITS:
            raise ValueError(f"There is no limit {by!r}. Choose from: {', '.join(_LIMITS)}.")
        wanted = set(_LIMITS.values()) if by is None else {_LIMITS[by]}
        if self.cause not in wanted:
            self._fail(f"The job was expected to be ended by {by or 'a limit'}, and was not.")
        return self

    def assert_crashed(self, signal_name: str | None = None) -> Self:
        """A signal that the worker did not send ended the process, such as `SIGSEGV`; None for any signal."""
        __tracebackhide__ = True
        if self.cause != "crashed" or signal_name not in (None, self.signal_name):
            self._fail(f"The process was expected to be ended by {signal_name or 'a signal'}, and was not.")
        return self

    def assert_stalled(self, at: Place | None = None) -> Self:
        """The event loop did not run for `stall_seconds`, and the code was at this place then."""
        __tracebackhide__ = True
        stacks = [stall.stack for stall in self.stalls] + ([self.stack] if self.cause == "stalled" else [])
        if not stacks:
            self._fail("The event loop was expected to stall, and did not.")
        if at is not None and not any(_stands_at(at, stack) for stack in stacks):
            found = "\n".join(stacks)
            self._fail(f"The event loop did not stall at {_named(at)}. It stalled here:\n{found}")
        return self

    def assert_not_stalled(self) -> Self:
        """The event loop ran all the time."""
        __tracebackhide__ = True
        if self.stalls or self.cause == "stalled":
            found = "\n".join(map(str, self.stalls)) or self.stack
            self._fail(f"The event loop was not expected to stall, and did:\n{found}")
        return self

    def assert_logged(self, text: str | re.Pattern[str], level: str | int | None = None) -> Self:
        """A line of the log contains `text`, or matches the pattern, and has the level, such as `WARNING`."""
        __tracebackhide__ = True
        if not self._lines_with(text, level):
            what = f"at level {level}" if level is not None else "at any level"
            self._fail(f"No line of the log {what} contains {_pattern(text)!r}.")
        return self

    def assert_not_logged(self, text: str | re.Pattern[str], level: str | int | None = None) -> Self:
        """No line of the log contains `text`, or matches the pattern, at this level."""
        __tracebackhide__ = True
        if found := self._lines_with(text, level):
            self._fail(f"The log was not expected to contain {_pattern(text)!r}, and does:\n{found[0]}")
        return self

    def updates_of(self, entity_id: int, entity: str = "device") -> dict[str, Any]:
        """Return what the block changed in one entity: path and new value of each patch.

        `entity` is `device`, `interface` or `group`. Empty if nothing was changed, and after a failure.
        """
        return {
            update["path"]: update.get("value")
            for update in self.db_updates or ()
            if (update["operation"], update["entity"], update.get("id")) == ("patch", entity, entity_id)
        }

    def assert_updates(self, expected: Iterable[Mapping[str, Any]]) -> Self:
        """The updates of the database are exactly these, in any order; `[]` for none.

        Each has the form that the engine gets, such as
        `{"operation": "patch", "entity": "device", "id": 7, "path": "vendor", "value": "Acme"}`.
        """
        __tracebackhide__ = True
        from sdk.encoding import to_plain

        wanted = to_plain([dict(update) for update in expected], "expected")
        self._equal(
            "The updates of the database are not as expected.", _sorted(wanted), _sorted(self.db_updates)
        )
        return self

    def assert_acquired(self, *expected: Any) -> Self:
        """The acquire succeeded and asked for exactly these, in this order; without arguments, for nothing.

        Each is an item of `sdk.acquire`, or a mapping in the form that the engine gets.
        """
        __tracebackhide__ = True
        from sdk.acquire_items import wire_items

        self._was("acquire")
        self._equal("What was acquired is not as expected.", wire_items(expected), self.acquires or [])
        return self

    def assert_rolled_back(self, match: str | None = None) -> Self:
        """The rollback succeeded. `match` is a regular expression that must be found in its message."""
        __tracebackhide__ = True
        self._was("rollback")
        return self._matches(match)

    def _was(self, job_type: str) -> None:
        __tracebackhide__ = True
        if self.job_type != job_type:
            self._fail(f"This was no {job_type}: it is the outcome of an {self.job_type}.")
        if not self.success:
            self._fail(f"The {job_type} was expected to succeed, and did not.")

    def _matches(self, match: str | None) -> Self:
        __tracebackhide__ = True
        if match is not None and not re.search(match, self.message):
            self._fail(f"The message does not match {match!r}.")
        return self

    def _equal(self, what: str, expected: Any, found: Any) -> None:
        __tracebackhide__ = True
        from sdk.encoding import to_plain

        plain = to_plain(expected, "expected")
        if not is_same(plain, found):
            self._fail(f"{what}\n{difference(plain, found)}")

    def _lines_with(self, text: str | re.Pattern[str], level: str | int | None) -> Sequence[LogLine]:
        __tracebackhide__ = True
        number = _level_number(level) if isinstance(level, str) else level
        pattern = re.compile(re.escape(text)) if isinstance(text, str) else text
        return [line for line in self.logs if number in (None, line.level) and pattern.search(line.message)]

    def _fail(self, text: str) -> NoReturn:
        __tracebackhide__ = True
        raise AssertionError(f"{text}\n{self.report()}")


def _level_number(name: str) -> int:
    __tracebackhide__ = True
    known = logging.getLevelNamesMapping()
    if name.upper() not in known:
        raise ValueError(f"There is no level {name!r}. Choose from: DEBUG, INFO, WARNING, ERROR, CRITICAL.")
    return known[name.upper()]


def _pattern(text: str | re.Pattern[str]) -> str:
    return text if isinstance(text, str) else text.pattern


def _sorted(updates: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return sorted(updates or (), key=lambda update: json.dumps(update, sort_keys=True))


def _named(place: Place) -> str:
    return place if isinstance(place, str) else getattr(place, "__qualname__", repr(place))


def _stands_at(place: Place, stack: str) -> bool:
    """Whether a frame of a stack is at the place. faulthandler writes it as `File "x.py", line 12 in run`."""
    frames = re.findall(r'File "([^"]*)", line (\d+) in (\S+)', stack)
    if isinstance(place, str):
        wanted_file, _, wanted_line = place.partition(":")
        return any(
            name == place or (_ends_with(file, wanted_file) and wanted_line in ("", line))
            for file, line, name in frames
        )
    function = inspect.unwrap(place)
    code = getattr(function, "__code__", None)
    return code is not None and any(
        name == code.co_name and os.path.abspath(file) == os.path.abspath(code.co_filename)
        for file, _, name in frames
    )


def _ends_with(file: str, wanted: str) -> bool:
    return bool(wanted) and (file == wanted or file.endswith(f"/{wanted}"))
