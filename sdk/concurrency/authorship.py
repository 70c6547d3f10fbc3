"""The author's part of a stack. A warning shows only this part, because an author can change nothing else."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import BuiltinFunctionType, FrameType
from typing import Any, Final

from sdk.whose_code import Whose, whose


@dataclass(frozen=True, slots=True)
class Line:
    """Where one frame is. A C function that the loop calls has no frame: `file` is its name, and the line is 0."""

    file: str
    number: int
    function: str


@dataclass(frozen=True, slots=True)
class Stack:
    """What a thread does: the author's lines, innermost first, and the frame of the callback that they belong to."""

    authors: tuple[Line, ...]
    callback: FrameType


def stack_of(innermost: FrameType, home: str | None) -> Stack | None:
    """Return the stack of the callback that an event loop runs there. `None` if none runs, or no author's code does.

    `home` is the directory that the block was loaded from, if known (`sdk.whose_code`).

    If the thread has no loop, the whole thread counts as one callback. What stands below the loop (for example a test
    that called `asyncio.run`) only waits for the loop.
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
        if whose(code.co_filename, home) is Whose.AUTHOR:
            authors.append(Line(code.co_filename, frame.f_lineno or 0, code.co_name))
    return Stack(tuple(authors), outermost) if authors else None


def _c_function_of(run: FrameType) -> str | None:
    """Return the name of the C function that a handle of the loop runs, unless it is a step of a task."""
    callback: Any = getattr(run.f_locals.get("self"), "_callback", None)
    while isinstance(callback, functools.partial):
        callback = callback.func
    # The name, not the `repr`: that may run code of the author's, and this is another thread.
    if not isinstance(callback, BuiltinFunctionType) or isinstance(callback.__self__, asyncio.Future):
        return None
    module = callback.__module__
    return f"{module}.{callback.__qualname__}" if module else callback.__qualname__


_EVENTS: Final = os.path.join("asyncio", "events.py")
_BASE_EVENTS: Final = os.path.join("asyncio", "base_events.py")


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, then its callers."""
    while frame is not None:
        yield frame
        frame = frame.f_back
