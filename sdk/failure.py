"""What is said of an exception that came out of a block: in the result's message, and in the log.

Neither may show a parameter's value or a password. ``traceback`` prints the text of each exception, and
pydantic's texts hold the input, so exceptions are described here, by their own rules.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType

import pydantic
from pydantic import ValidationError

from sdk.errors import join_problems
from sdk.parsing.problems import problems_of

MAX_TEXT_LENGTH = 2000
MAX_CHAIN_LENGTH = 20

_SDK_DIRECTORY = os.path.dirname(__file__)
_NOT_THE_AUTHORS = (_SDK_DIRECTORY + os.sep, os.path.dirname(pydantic.__file__) + os.sep)

Hide = Callable[[str], str]
"""Takes the secrets out of a text."""


def text_of(error: BaseException, hide: Hide) -> str:
    """An exception's text on one line: without values, cut to ``MAX_TEXT_LENGTH`` characters."""
    if isinstance(error, ValidationError):
        return hide(f"{error.title}: {join_problems(problems_of(error))}")
    try:
        # Hidden first: a secret that was cut, or whose blanks were joined, would not be found any more.
        text = " ".join(hide(str(error)).split())
    except Exception:
        # __str__ is the author's code as well.
        return "(its text can't be read)"
    return text if len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH] + " …"


def headline(error: BaseException, hide: Hide) -> str:
    """Type, text and the author's line that led to it."""
    text = text_of(error, hide)
    all_frames = traceback.extract_tb(error.__traceback__)
    frames = [each for each in all_frames if not each.filename.startswith(_NOT_THE_AUTHORS)] or all_frames
    place = f" ({frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"


def traceback_of(error: BaseException, hide: Hide) -> str:
    """Tracebacks of ``error`` and of what led to it, in Python's usual form."""
    return hide("".join(_describe(error, hide, set()))).rstrip("\n")


def _describe(error: BaseException, hide: Hide, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    earlier, link = _earlier(error)
    if earlier is not None and id(earlier) not in seen and len(seen) < MAX_CHAIN_LENGTH:
        yield from _describe(earlier, hide, seen)
        yield f"\n{link}\n\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(_from_author_on(error.__traceback__))
    yield f"{type(error).__qualname__}: {text_of(error, hide)}\n"
    for note in getattr(error, "__notes__", ()):
        yield f"{note}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, start=1):
            if id(member) not in seen and len(seen) < MAX_CHAIN_LENGTH:
                yield f"--- {number} of {len(error.exceptions)} in this group ---\n"
                yield from _describe(member, hide, seen)


def _from_author_on(frames: TracebackType) -> TracebackType:
    """``frames`` without those at the top in which the SDK calls the author's code."""
    frame: TracebackType | None = frames
    while frame is not None and os.path.dirname(frame.tb_frame.f_code.co_filename) == _SDK_DIRECTORY:
        frame = frame.tb_next
    return frame or frames


def _earlier(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, "The above exception was the direct cause of the following exception:"
    if error.__suppress_context__:
        return None, ""
    return error.__context__, "During handling of the above exception, another exception occurred:"
