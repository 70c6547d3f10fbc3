"""Whose code a frame of a stack runs: the author's, this worker's, Python's own, or that of an installed package.

It looks at where files are, never at the name of a folder: authors also have folders named `sdk`. This is the one
definition. It is in `sdk` and in `supervisor`, word for word, because neither imports the other (a test compares
them).
"""

import functools
import os
from enum import Enum, auto
from pathlib import Path
from typing import Final

ROOT: Final = str(Path(os.path.abspath(__file__)).parents[__name__.count(".")])
"""The directory that holds this worker's packages. Others may be there, too, for example an author's."""

_PACKAGES: Final = ("site-packages", "dist-packages")
_INSTALLED: Final = tuple(f"{os.sep}{name}{os.sep}" for name in _PACKAGES)


class Whose(Enum):
    """Who has written the code that a frame runs."""

    AUTHOR = auto()
    WORKER = auto()
    PYTHON = auto()
    """Python's own library, and code in no file (`<string>`, `<frozen importlib._bootstrap>`)."""
    INSTALLED = auto()


@functools.cache
def spellings(directory: str) -> tuple[str, ...]:
    """Return how paths below a directory may begin: unchanged, without links, and as faulthandler writes them."""
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
    """Return whose code a file is, by the path that a frame has.

    `home` is the directory that the block was loaded from, if known: everything in it is the author's, even if it was
    installed among packages.
    """
    if file.startswith("<"):
        return Whose.PYTHON
    if file.startswith(_WORKER):
        return Whose.WORKER
    for directory in spellings(home) if home else ():
        if file.startswith(directory):
            return Whose.INSTALLED if _is_installed_below(directory, file) else Whose.AUTHOR
    if any(part in file for part in _INSTALLED):  # before Python's library, because they are inside of it
        return Whose.INSTALLED
    return Whose.PYTHON if file.startswith(_PYTHON) else Whose.AUTHOR


def _is_installed_below(home: str, file: str) -> bool:
    # An environment may be inside of the author's directory. A block that is a single file may be beside packages.
    inner = file[len(home) - 1 :]
    beside = os.path.basename(os.path.dirname(home)) in _PACKAGES and inner.count(os.sep) > 1
    return beside or any(part in inner for part in _INSTALLED)
