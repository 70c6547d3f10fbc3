"""The file `.env` in the working directory: read only if it is one, and only so much of it."""

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
    """Return the file's text, empty where there is none, as of a directory. Waits for its disk, but for no writer.

    Raises `OSError`, also for what is no regular file or too large, and `UnicodeDecodeError`.
    """
    try:
        with ordinary_file(FILE) as descriptor, open(descriptor, "rb", closefd=False) as file:
            content = file.read(CAP_BYTES + 1)
    except FileNotFoundError:
        return ""
    except NotAFileError as error:
        if stat.S_ISDIR(error.mode):  # of Python's virtual environments some are called so
            return ""
        kind = next((kind for test, kind in _KINDS if test(error.mode)), "it is no regular file")
        raise OSError(0, kind) from None
    if len(content) > CAP_BYTES:
        raise OSError(0, f"it has more than {CAP_BYTES // 2**20} MB")
    return content.decode("utf-8")


@contextlib.contextmanager
def held(text: str) -> Iterator[None]:
    """Have everybody take `text` for the file's meanwhile: it was read where waiting for a disk holds up nobody."""
    before = _held.set(text)
    try:
        yield
    finally:
        _held.reset(before)


def text() -> str:
    """Return what is held, else what `read` returns. Raises as that does."""
    return read() if (it := _held.get()) is None else it


def values() -> dict[str, str | None]:
    """Return the variables that the file sets. Raises as `read` does."""
    return dotenv_values(stream=io.StringIO(text()))


class EnvFileSource(DotEnvSettingsSource):
    """What pydantic-settings reads of the file, which it would open by its name."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        # As the settings have it: case does not matter, and what is empty is not set.
        return {name.lower(): value for name, value in values().items() if value}
