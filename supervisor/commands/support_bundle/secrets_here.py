"""The secrets that are known on this machine. They are read only to remove them from the archive."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from jobrunner.protocol.masking import SecretNames
from supervisor.engine.own_secrets import passwords_in
from supervisor.process.small_file import NotAFileError, ordinary_file
from supervisor.settings import env_file

_CAP_BYTES: Final = 64 * 1024
_NAMES: Final = SecretNames()


def secrets_of(files: Iterable[Path], pid: int | None) -> Iterator[str]:
    """Yield secret values: from this environment, from `.env`, from the worker `pid`, and the content of `files`.

    It skips what it may not read: such a secret can't get into the archive from here either.
    """
    for path in files:
        yield from _content(path)
    for name, value in _variables(pid):
        yield from passwords_in(value)
        if name in _NAMES and value.startswith("/"):
            yield from _content(Path(value))
        elif name in _NAMES:
            yield value


def _variables(pid: int | None) -> Iterator[tuple[str, str]]:
    yield from os.environ.items()
    with contextlib.suppress(OSError, ValueError):
        yield from ((name, value) for name, value in env_file.values().items() if value)
    if pid is not None:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
            pairs = (entry.partition("=") for entry in text.split("\0"))
            yield from ((name, value) for name, _, value in pairs)


def _content(path: Path) -> Iterator[str]:
    with contextlib.suppress(OSError, NotAFileError, ValueError), ordinary_file(path) as descriptor:
        text = os.read(descriptor, _CAP_BYTES).decode(errors="replace").strip()
        yield text
        yield from (line.strip() for line in text.splitlines())
