"""What the worker holds of files that were removed is let go of while its disk is in trouble, and only then."""

import asyncio
from types import SimpleNamespace

import pytest

from supervisor.worker.removed_files import LOOK_SECONDS, let_go_while_in_trouble


async def test_removed_files_are_let_go_of_at_each_look_that_finds_the_disk_in_trouble() -> None:
    troubles = iter((False, True, True, False))
    disk = SimpleNamespace(is_in_trouble=False)
    let_go: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        if (trouble := next(troubles, None)) is None:
            raise asyncio.CancelledError
        disk.is_in_trouble = trouble

    with pytest.raises(asyncio.CancelledError):
        await let_go_while_in_trouble(disk, lambda: let_go.append(now), sleep)
    assert let_go == [2 * LOOK_SECONDS, 3 * LOOK_SECONDS]
