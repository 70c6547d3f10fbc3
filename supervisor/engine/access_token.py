"""The bearer token that this worker sends to the engine, and how it is replaced while the worker runs."""

import asyncio
from pathlib import Path
from typing import Final

from supervisor.errors import StartRefusedError
from supervisor.settings.token_file import read_token

READ_SECONDS: Final = 5.0
"""How long a request waits for the file. If the disk hangs, no other request waits for it."""


class AccessToken:
    """The token in a file; `None` without a file. Raises `StartRefusedError` if the file can't be used at the start."""

    def __init__(self, file: Path | None, engine_url: str) -> None:
        self._file = file
        self._url = engine_url
        self._reading: asyncio.Future[str] | None = None
        self.value = read_token(file, engine_url) if file else None

    async def renew(self, sent: str | None) -> bool:
        """Read the file again, in a thread, after the engine refused `sent`. Returns whether the token has changed.

        Raises `StartRefusedError`, which names the file, if it can't be used. Many requests at a time read it once.
        """
        if self._file is None or self.value != sent:
            return self._file is not None
        if self._reading is None or self._reading.done():
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(None, read_token, self._file, self._url)
        try:
            async with asyncio.timeout(READ_SECONDS):
                self.value = await asyncio.shield(self._reading)
        except TimeoutError:
            raise StartRefusedError(
                f"The file with the token for the engine, {self._file}, could not be read within {READ_SECONDS:g} s."
            ) from None
        return self.value != sent
