"""The files of host keys on the disk. All of it blocks for as long as the disk does: call it in a thread."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.known_hosts_file import KnownHostsText, Line, line_text, parse
from supervisor.job.host_keys.public_key import PublicKey
from supervisor.job.host_keys.table import Known
from supervisor.process.small_file import ordinary_file, replace_file

CAP_BYTES: Final = 16 * 2**20
"""The cap of a file: some hundred thousand keys."""

_LOCK_SECONDS: Final = 2.0
_LOCK_PAUSE_SECONDS: Final = 0.02

Identity = tuple[int, int, int, int]


class WatchedFile:
    """A file that others may change. One thread uses it."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._identity: Identity | None = None

    def read_if_changed(self) -> KnownHostsText | None:
        """Return the file's content, `None` if unchanged. Raises `OSError`, and `ValueError` if it is not text."""
        if self.path is None or _identity_of(os.stat(self.path)) == self._identity:
            return None
        text, self._identity = _read(self.path)
        return parse(text)


class KeptFile:
    """The worker's own file. Whoever changes the file must hold the lock file beside it.

    `owner` is the number of the worker's user, if root has that user's rights to files
    (`supervisor.process.owners_rights`). Then a file that belongs to somebody else is not read.
    """

    def __init__(self, path: Path, owner: int | None = None) -> None:
        self.path = path
        self._owner = owner
        self._lock = path.with_name(path.name + ".lock")
        self._identity: Identity | None = None
        self.text: KnownHostsText = KnownHostsText()
        """The file's content when it was last read or written. Any thread may read this."""

    def read_if_changed(self) -> KnownHostsText | None:
        """Return the file's content, `None` if it is unchanged, or gone. Raises `OSError` and `ValueError`.

        If the file is gone, nothing changes: known keys stay known until the worker ends.
        """
        try:
            if _identity_of(os.stat(self.path)) == self._identity:
                return None
            text, self._identity = _read(self.path, self._owner)
        except FileNotFoundError:
            return None
        self.text = parse(text)
        return self.text

    def add(self, keys: Sequence[tuple[Endpoint, PublicKey]]) -> KnownHostsText:
        """Add a line for each key whose endpoint has none. Returns the file's new content.

        The file is replaced in one step, and it is on the disk when this returns. Raises `OSError` and `ValueError`;
        then the file is unchanged.
        """
        with self._locked():
            try:
                before = _read(self.path, self._owner)[0]
            except FileNotFoundError:
                before = "".join(f"{line.text}\n" for line in self.text.lines)
            known = Known(parse(before))
            seen = time.strftime("first-seen=%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            new = [line_text(endpoint, key, seen) for endpoint, key in keys if not known.keys_of(endpoint)]
            if before and not before.endswith("\n"):
                before += "\n"  # somebody has edited it
            return self._replace(before + "".join(f"{line}\n" for line in new))

    def remove(self, is_meant: Callable[[Line], bool]) -> list[Line]:
        """Remove the lines that `is_meant` selects, and return them. Raises the same as `add`."""
        with self._locked():
            try:
                before = _read(self.path, self._owner)[0]
            except FileNotFoundError:
                return []
            removed = [line for line in parse(before).lines if is_meant(line)]
            texts = {line.text for line in removed}
            if removed:
                kept = [written for written in before.split("\n") if written.strip() not in texts]
                self._replace("\n".join(kept))
            return removed

    def _replace(self, content: str) -> KnownHostsText:
        data = content.encode()
        if len(data) > CAP_BYTES:
            raise OSError(errno.EFBIG, f"it would have more than {CAP_BYTES // 2**20} MB")
        replace_file(self.path, data)
        self._identity = _identity_of(os.stat(self.path))
        self.text = parse(content)
        return self.text

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Take the lock. It waits no longer than a person's command should take. Raises `BlockingIOError` if it is held."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(_LOCK_PAUSE_SECONDS)
        except OSError:
            return  # this file system has no locks: the file is still replaced in one step
        else:
            return


def _read(path: Path, owner: int | None = None) -> tuple[str, Identity]:
    with ordinary_file(path, owner) as descriptor, open(descriptor, "rb", closefd=False) as file:
        data = file.read(CAP_BYTES + 1)
        identity = _identity_of(os.fstat(descriptor))
    if len(data) > CAP_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {CAP_BYTES // 2**20} MB")
    return data.decode(), identity


def _identity_of(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
