"""What every fuzzer offers."""

import random
from contextlib import AsyncExitStack
from typing import Self


class Fuzzer:
    """One way in from outside. An async context manager: what it starts ends with it."""

    at_once = 16
    """How many cases may run at a time. One, where what a case leaves behind would be taken for another's."""

    def __init__(self) -> None:
        self.started = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.started.aclose()

    async def check(self, rng: random.Random) -> None:
        """Run one case. Raises whatever must not be."""
        raise NotImplementedError
