"""Calls of a block without `await`: to a coroutine, whose work was not done, or to something that began by itself."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Final, TextIO

_DROPPED: Final = re.compile(
    r"coroutine '(?P<name>[^']+)' was never awaited\n"
    r".*\n\s*File \"(?P<file>[^\n]+)\", line (?P<line>\d+), in [^\n]*",
)
"""Python's text; there are no fields for it. It has the place only while origins are tracked."""


class CallNotAwaitedWarning(RuntimeWarning):
    """A call that began without `await`, and that nobody awaited: its name, and the place of the call."""

    def __init__(self, name: str, file: str, line: int) -> None:
        super().__init__(
            f"Line {line} of {file} calls {name}() without await. It begins all the same, but what it returns or "
            "raises is lost. Write await before the call."
        )
        self.name = name
        self.file = file
        self.line = line


@contextlib.contextmanager
def telling_of_unawaited(warn: Callable[[str], None]) -> Iterator[None]:
    """Call `warn` with a sentence for each call that is dropped before anybody awaits it.

    For a coroutine, Python's own warning is shown as well. It names the line on which the coroutine was dropped, which
    is often in the SDK. Python knows where it was called only while it tracks that.
    """
    depth = sys.get_coroutine_origin_tracking_depth()
    shown = warnings.showwarning
    is_over = False

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if isinstance(message, CallNotAwaitedWarning) and not is_over:
            warn(str(message))
            return
        dropped = None if is_over else _DROPPED.match(str(message))
        if dropped is not None and issubclass(category, RuntimeWarning):
            warn(
                f"Line {dropped['line']} of {dropped['file']} calls {dropped['name']}() without await, so it did not "
                "run. Write await before the call."
            )
        shown(message, category, filename, lineno, file, line)

    sys.set_coroutine_origin_tracking_depth(max(depth, 1))
    warnings.showwarning = show
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)
        # If somebody has put another function there since, it stays, and may still call this one.
        is_over = True
        if warnings.showwarning is show:
            warnings.showwarning = shown
