"""Paging: an output in pieces of one screen. Pure: keys in, text out."""

from dataclasses import dataclass
from typing import Final

MORE: Final = " --More-- "
# How IOS wipes it out: back, blanks, back.
_WIPE: Final = "\b" * len(MORE) + " " * len(MORE) + "\b" * len(MORE)


@dataclass(slots=True)
class Pager:
    """One output that is longer than the screen. `rest` was not shown yet; if it is empty, the output is over."""

    rest: list[str]
    page_lines: int

    def first(self) -> str:
        """Return the first page, with `--More--` below it if there is more."""
        return self._show(self.page_lines - 1)

    def key(self, character: str) -> str:
        """Return what a key shows: a page for the space bar, a line for Enter; any other key ends the output."""
        if character == " ":
            return _WIPE + self._show(self.page_lines - 1)
        if character in ("\r", "\n"):
            return _WIPE + self._show(1)
        self.rest = []
        return _WIPE

    def _show(self, count: int) -> str:
        shown, self.rest = self.rest[:count], self.rest[count:]
        return "".join(f"{line}\n" for line in shown) + (MORE if self.rest else "")
