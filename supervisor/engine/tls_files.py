"""The certificates for an engine behind TLS, and how the worker notices that they were renewed."""

import asyncio
import contextlib
import os
import ssl
from pathlib import Path


class TlsFiles:
    """Looks at the files again after a request that has failed. Raises `OSError` if one is missing at the start.

    Certificates expire, and are renewed on the disk, often each day. An open connection then goes on, but the next one
    is refused.
    """

    def __init__(self, ca_file: Path | None, certificate: Path | None, key: Path | None) -> None:
        self._ca_file, self._certificate, self._key = ca_file, certificate, key
        self._seen = self._look()
        self._reading: asyncio.Future[None] | None = None
        self.context: ssl.SSLContext | bool = True
        """aiohttp makes connections with this. True stands for what it got at the start."""

    def look_again(self) -> None:
        """Read the files again in a thread if they have changed. Returns at once: later requests use them."""
        if not self._seen or (self._reading is not None and not self._reading.done()):
            return
        with contextlib.suppress(
            RuntimeError
        ):  # the machine has no thread for it: the next failure tries again
            self._reading = asyncio.get_running_loop().run_in_executor(None, self._read_again)

    def _read_again(self) -> None:
        try:
            seen = self._look()
            if seen != self._seen:
                self.context, self._seen = self._read(), seen
        except OSError:
            pass  # somebody may be writing them now: the old ones stay until the next look

    def _look(self) -> list[tuple[int, int, int]]:
        files = (self._ca_file, self._certificate, self._key)
        looks = [os.stat(file) for file in files if file is not None]
        return [(look.st_mtime_ns, look.st_ino, look.st_size) for look in looks]

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_file)
        if self._certificate is not None:
            # Without a password OpenSSL would ask for one, at a terminal.
            context.load_cert_chain(self._certificate, self._key, password="")
        return context
