"""What the tests of this folder share."""

import signal
import threading
from collections.abc import Iterator

import pytest

LONGEST_SECONDS = 30


@pytest.fixture(autouse=True)
def held_loop_ends() -> Iterator[None]:
    """End a test whose event loop is held for ever, with a reason: no time-out of asyncio could."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def fail(*_: object) -> None:
        raise AssertionError(f"The test has not ended within {LONGEST_SECONDS} s: see where it stands.")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
