"""The file `.env` in the working directory: read only if it is an ordinary file, and only up to a maximum size."""

import contextlib
import io
import stat
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Final

from dotenv import dotenv_values
from pydantic_settings import DotEnvSettingsSource

from supervisor.process.small_file import NotAFileError, ordinary_file

FILE: Final = ".env"
CAP_BYTES: Final = 2**20

_KINDS: Final = (
    (stat.S_ISFIFO, "it is a named pipe"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)

_held: ContextVar[str | None] = ContextVar("held", default=None)


def read() -> str:
    """Return the file's text, empty if there is none or it is a directory. Waits for its disk, but for no writer.

    Raises `OSError`, also if it is not a regular file or is too large, and `UnicodeDecodeError`.
    """
    try:
        with ordinary_file(FILE) as descriptor, open(descriptor, "rb", closefd=False) as file:
            content = file.read(CAP_BYTES + 1)
    except FileNotFoundError:
        return ""
    except NotAFileError as error:
        if stat.S_ISDIR(error.mode):  # some of Python's virtual environments have this name
            return ""
        kind = next((kind for test, kind in _KINDS if test(error.mode)), "it is no regular file")
        raise OSError(0, kind) from None
    if len(content) > CAP_BYTES:
        raise OSError(0, f"it has more than {CAP_BYTES // 2**20} MB")
    return content.decode("utf-8")


@contextlib.contextmanager
def held(text: str) -> Iterator[None]:
    """Meanwhile, let all callers use `text` as the file's: it was read where waiting for a disk blocks nobody."""
    before = _held.set(text)
    try:
        yield
    finally:
        _held.reset(before)


def text() -> str:
    """Return the held text, otherwise the result of `read`. Raises the same errors."""
    return read() if (it := _held.get()) is None else it


def values() -> dict[str, str | None]:
    """Return the variables that the file sets. Raises the same errors as `read`."""
    return dotenv_values(stream=io.StringIO(text()))


class EnvFileSource(DotEnvSettingsSource):
    """The file as a source for pydantic-settings, which would otherwise open it by its name."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        # Same as the settings: case does not matter, and an empty value counts as not set.
        return {name.lower(): value for name, value in values().items() if value}
