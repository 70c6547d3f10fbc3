"""Which code is the author's: what a warning shows of a stack, since it is all that an author can change."""

from __future__ import annotations

import asyncio
import functools
import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from types import BuiltinFunctionType, FrameType
from typing import Any, Final

_SDK: Final = os.path.dirname(os.path.dirname(__file__)) + os.sep
_LIBRARY: Final = tuple(
    {os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@dataclass(frozen=True, slots=True)
class Authorship:
    """Tells an author's frames from others.

    ``home`` is the directory that the block was loaded from: all in it is the author's, also where it was installed
    among packages. What lies below ``foreign`` is not, and neither is the SDK, Python's own library, or any package
    that was installed.
    """

    home: str | None = None
    foreign: tuple[str, ...] = ()

    def is_authors(self, filename: str) -> bool:
        """Whether the code of this file is the author's. What has no file (``<string>``) is not."""
        if filename.startswith(("<", _SDK, *self.foreign)):
            return False
        home = os.path.join(self.home, "") if self.home else None
        if home and filename.startswith(home):
            # An environment may lie within the author's directory.
            return not any(part in filename[len(home) - 1 :] for part in _INSTALLED)
        return not filename.startswith(_LIBRARY) and not any(part in filename for part in _INSTALLED)


@dataclass(frozen=True, slots=True)
class Line:
    """Where one frame is. A C function that the loop calls has no frame: its name as the file, and 0 as the line."""

    file: str
    number: int
    function: str


@dataclass(frozen=True, slots=True)
class Stack:
    """What a thread does: the author's lines, innermost first, and the frame of the callback that they belong to."""

    authors: tuple[Line, ...]
    callback: FrameType


def stack_of(innermost: FrameType, authorship: Authorship) -> Stack | None:
    """Return the stack of the callback that an event loop runs there; `None` where none runs, or none of the author's.

    Where there is no loop at all, the whole of the thread is one callback. What stands below the loop (a test, say,
    which called `asyncio.run`) only waits for it.
    """
    authors: list[Line] = []
    outermost = innermost
    for frame in outwards(innermost):
        outermost = frame
        code = frame.f_code
        if code.co_filename.endswith(_EVENTS) and code.co_name == "_run":
            if frame is innermost and (name := _c_function_of(frame)) is not None:
                authors.append(Line(name, 0, ""))
            break
        if code.co_filename.endswith(_BASE_EVENTS) and code.co_name == "_run_once":
            return None
        if authorship.is_authors(code.co_filename):
            authors.append(Line(code.co_filename, frame.f_lineno or 0, code.co_name))
    return Stack(tuple(authors), outermost) if authors else None


def _c_function_of(run: FrameType) -> str | None:
    """Return the name of the C function that a handle of the loop runs, unless it is a step of a task."""
    callback: Any = getattr(run.f_locals.get("self"), "_callback", None)
    while isinstance(callback, functools.partial):
        callback = callback.func
    # The name, and no `repr`: that may be code of the author's, and this is another thread.
    if not isinstance(callback, BuiltinFunctionType) or isinstance(callback.__self__, asyncio.Future):
        return None
    module = callback.__module__
    return f"{module}.{callback.__qualname__}" if module else callback.__qualname__


_EVENTS: Final = os.path.join("asyncio", "events.py")
_BASE_EVENTS: Final = os.path.join("asyncio", "base_events.py")


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, and those that have called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back
