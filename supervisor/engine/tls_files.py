"""The certificates for an engine behind TLS, and how they become other ones while the worker runs."""

import asyncio
import contextlib
import os
import ssl
from pathlib import Path


class TlsFiles:
    """Looks at the files again after a request that has failed. Raises `OSError` where one is missing at the start.

    Certificates expire, and are renewed on the disk, many of them each day. A connection that is kept goes on, and the
    next one is refused.
    """

    def __init__(self, ca_file: Path | None, certificate: Path | None, key: Path | None) -> None:
        self._ca_file, self._certificate, self._key = ca_file, certificate, key
        self._seen = self._look()
        self._reading: asyncio.Future[None] | None = None
        self.context: ssl.SSLContext | bool = True
        """What aiohttp is to make connections with. True is what it was given at the start."""

    def look_again(self) -> None:
        """Read the files anew, in a thread, where they have changed. Returns at once: later requests use them."""
        if not self._seen or (self._reading is not None and not self._reading.done()):
            return
        with contextlib.suppress(RuntimeError):  # no thread is left for it: the next failure tries again
            self._reading = asyncio.get_running_loop().run_in_executor(None, self._read_again)

    def _read_again(self) -> None:
        try:
            seen = self._look()
            if seen != self._seen:
                self.context, self._seen = self._read(), seen
        except OSError:
            pass  # somebody may be writing them just now: what was read before stays until the next look

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
