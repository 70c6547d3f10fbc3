"""Describes an exception from a block: for the result's message, and for the log.

Neither may show a parameter's value or a password. Python's `traceback` prints the text of each exception, and
pydantic's texts hold the input. So this module describes exceptions by its own rules.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from pydantic import ValidationError

from sdk.errors import join_problems
from sdk.frames import author_frame, frames_to_show
from sdk.masking import Hide
from sdk.parsing.problems import problems_of

MAX_TEXT_LENGTH = 2000
MAX_BLANKS = 4
"""How many characters of a text are read for each one that is shown: the others may be blanks."""

MAX_CHAIN_LENGTH = 20
MAX_BRIEF_LENGTH = 300
MAX_NAMED_MEMBERS = 3
MAX_NOTES = 20


def _as_it_is(text: str, *, cut_after: bool = False) -> str:
    return text


def text_of(error: BaseException, hide: Hide = _as_it_is) -> str:
    """An exception's text on one line: without values, cut to `MAX_TEXT_LENGTH` characters."""
    if isinstance(error, ValidationError):
        return _cut(hide(f"{error.title}: {join_problems(problems_of(error))}"))
    try:
        # Hidden before the blanks are joined: afterwards nobody would find a secret with two blanks.
        return _cut(" ".join(hide_beginning(str(error), hide).split()))
    except BaseException:
        # __str__ is also the author's code, and may raise anything, even SystemExit.
        return "(its text can't be read)"


def hide_beginning(text: str, hide: Hide) -> str:
    """As much of `text` as can be shown, without secrets: it takes seconds to search 50 MB."""
    longest = MAX_BLANKS * MAX_TEXT_LENGTH
    return hide(text) if len(text) <= longest else hide(text[:longest], cut_after=True) + " …"


def headline(error: BaseException, hide: Hide = _as_it_is) -> str:
    """Type, text and the author's line that led to it; then its cause, or the members of its group."""
    inner = _members(error) if isinstance(error, BaseExceptionGroup) else _cause(error)
    more = "".join(f"; {how} {_brief(each, hide)}" for how, each in inner[:MAX_NAMED_MEMBERS])
    left = len(inner) - MAX_NAMED_MEMBERS
    return _with_place(error, text_of(error, hide)) + more + (f"; and {left} more" if left > 0 else "")


def traceback_of(error: BaseException, hide: Hide = _as_it_is) -> str:
    """Tracebacks of `error` and of its causes, in Python's usual form, without the worker's frames."""
    return hide("".join(_describe(error, hide, set()))).rstrip("\n")


def _cut(text: str, longest: int = MAX_TEXT_LENGTH) -> str:
    return text if len(text) <= longest else text[:longest] + " …"


def _with_place(error: BaseException, text: str) -> str:
    frame = author_frame(error.__traceback__)
    if frame is None and error.__cause__ is not None:
        # Python makes this error from a StopIteration in a coroutine, and it has no line of its own.
        frame = author_frame(error.__cause__.__traceback__)
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{said} ({frame.filename}:{frame.lineno} in {frame.name})" if frame is not None else said


def _brief(error: BaseException, hide: Hide) -> str:
    return _with_place(error, _cut(text_of(error, hide), MAX_BRIEF_LENGTH))


def _members(group: BaseExceptionGroup[BaseException]) -> list[tuple[str, BaseException]]:
    """The exceptions that are not groups themselves: at most one more than a chain may have."""
    found: list[tuple[str, BaseException]] = []
    todo: list[BaseException] = [group]
    while todo and len(found) <= MAX_CHAIN_LENGTH:
        each = todo.pop(0)
        if isinstance(each, BaseExceptionGroup):
            todo[:0] = each.exceptions
        else:
            found.append(("holds", each))
    return found


def _cause(error: BaseException) -> list[tuple[str, BaseException]]:
    # Only one step: the log has the rest.
    return [("caused by", error.__cause__)] if error.__cause__ is not None else []


def _describe(error: BaseException, hide: Hide, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    earlier, link = _earlier(error)
    if earlier is not None and id(earlier) not in seen and len(seen) < MAX_CHAIN_LENGTH:
        yield from _describe(earlier, hide, seen)
        yield f"\n{link}\n\n"
    frames = frames_to_show(error.__traceback__)
    if not frames and len(seen) == 1:
        # There is no code of the author's in it. So the error is ours, and our frames help.
        frames = traceback.extract_tb(error.__traceback__)
    if frames:
        yield "Traceback (most recent call last):\n"
        yield from frames.format()
    text = text_of(error, hide)
    yield f"{type(error).__qualname__}: {text}\n" if text else f"{type(error).__qualname__}\n"
    yield from _notes(error, hide)
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, start=1):
            if id(member) not in seen and len(seen) < MAX_CHAIN_LENGTH:
                yield f"--- {number} of {len(error.exceptions)} in this group ---\n"
                yield from _describe(member, hide, seen)


def _notes(error: BaseException, hide: Hide) -> Iterator[str]:
    notes = getattr(error, "__notes__", ())
    # Python does not check notes that code has put there directly.
    for note in notes[:MAX_NOTES] if isinstance(notes, list | tuple) else ():
        if isinstance(note, str):
            yield f"{_cut(hide_beginning(note, hide))}\n"


def _earlier(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, "The above exception was the direct cause of the following exception:"
    if error.__suppress_context__:
        return None, ""
    return error.__context__, "During handling of the above exception, another exception occurred:"
