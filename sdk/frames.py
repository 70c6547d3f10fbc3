"""Which frames of a traceback are the author's, which are a library's, and which only lead there from the worker."""

from __future__ import annotations

import asyncio
import os
import traceback
from types import TracebackType
from typing import Final

import pydantic

from sdk.whose_code import Whose, whose

# pydantic's frames help as little as ours: it checks what an author assigns, and says what is wrong.
_plumbing: tuple[str, ...] = (os.path.dirname(pydantic.__file__) + os.sep,)
_ON_THE_WAY: Final = (os.path.dirname(asyncio.__file__) + os.sep, "<frozen ")


def count_as_plumbing(directory: str) -> None:
    """Treat the frames of another SDK, whose blocks run here (`sdk.compat`), as a way to the author's frames."""
    global _plumbing
    _plumbing = tuple({*_plumbing, directory + os.sep})


def frames_to_show(trace: TracebackType | None) -> traceback.StackSummary:
    """The frames of `trace` without ours and pydantic's, and without the asyncio frames that lead to the author's.

    Empty if there are no others.
    """
    frames = traceback.extract_tb(trace)
    shown = [frame for frame in frames if not _is_plumbing(frame.filename)]
    while shown and shown[0].filename.startswith(_ON_THE_WAY):
        del shown[0]
    return traceback.StackSummary.from_list(shown)


def author_frame(trace: TracebackType | None) -> traceback.FrameSummary | None:
    """The author's innermost frame: if a library has raised the error, the author's call of it matters.

    The author's frames are the first one that is neither ours nor asyncio's, and those in its package or below its
    folder.
    """
    frames = [
        each
        for each in traceback.extract_tb(trace)
        if not (_is_plumbing(each.filename) or each.filename.startswith(_ON_THE_WAY))
    ]
    if not frames:
        return None
    home = _home(frames[0].filename)
    return next(each for each in reversed(frames) if _is_below(each.filename, home))


def _is_plumbing(file: str) -> bool:
    return file.startswith(_plumbing) or whose(file) is Whose.WORKER


def _home(file: str) -> str:
    """The top folder of the package that `file` is in, or its folder if it is in none."""
    home = folder = os.path.dirname(file)
    while os.path.exists(os.path.join(folder, "__init__.py")) and folder != os.path.dirname(folder):
        home, folder = folder, os.path.dirname(folder)
    return home


def _is_below(file: str, home: str) -> bool:
    return os.path.dirname(file) == home or (
        file.startswith(home + os.sep) and whose(file, home) is Whose.AUTHOR
    )
