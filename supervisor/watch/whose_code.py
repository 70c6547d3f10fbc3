"""Whose code a frame of a stack runs: the author's, this worker's, Python's own, or that of an installed package.

By where files lie, and never by what a folder is called: authors have folders named `sdk`, too. This is the one
definition. It stands in `sdk` and in `supervisor`, neither of which imports the other, word for word (a test
compares them).
"""

import functools
import os
from enum import Enum, auto
from pathlib import Path
from typing import Final

ROOT: Final = str(Path(os.path.abspath(__file__)).parents[__name__.count(".")])
"""The directory that this worker's packages lie in. With them may lie others, those of an author among them."""

_PACKAGES: Final = ("site-packages", "dist-packages")
_INSTALLED: Final = tuple(f"{os.sep}{name}{os.sep}" for name in _PACKAGES)


class Whose(Enum):
    """Who has written what a frame runs."""

    AUTHOR = auto()
    WORKER = auto()
    PYTHON = auto()
    """Its own library, and what is in no file (`<string>`, `<frozen importlib._bootstrap>`)."""
    INSTALLED = auto()


@functools.cache
def spellings(directory: str) -> tuple[str, ...]:
    """Return how paths below a directory may begin: as it is, without links, and as faulthandler writes it."""
    plain = {os.path.join(each, "") for each in (directory, os.path.realpath(directory))}
    return tuple(sorted(plain | {each.encode("ascii", "backslashreplace").decode() for each in plain}))


_WORKER: Final = tuple(
    spelling
    for name in ("jobrunner", "sdk", "supervisor")
    for spelling in spellings(os.path.join(ROOT, name))
)
_PYTHON: Final = spellings(os.path.dirname(os.__file__))


@functools.lru_cache(maxsize=4096)
def whose(file: str, home: str | None = None) -> Whose:
    """Tell whose code a file is, by the path that a frame names.

    `home` is the directory that the block was loaded from, where that is known: all in it is the author's, also where
    it was installed among packages.
    """
    if file.startswith("<"):
        return Whose.PYTHON
    if file.startswith(_WORKER):
        return Whose.WORKER
    for directory in spellings(home) if home else ():
        if file.startswith(directory):
            return Whose.INSTALLED if _is_installed_below(directory, file) else Whose.AUTHOR
    if any(part in file for part in _INSTALLED):  # before Python's library, in which they lie
        return Whose.INSTALLED
    return Whose.PYTHON if file.startswith(_PYTHON) else Whose.AUTHOR


def _is_installed_below(home: str, file: str) -> bool:
    # An environment may lie within the author's directory; and a block that is a single file lies beside packages.
    inner = file[len(home) - 1 :]
    beside = os.path.basename(os.path.dirname(home)) in _PACKAGES and inner.count(os.sep) > 1
    return beside or any(part in inner for part in _INSTALLED)
