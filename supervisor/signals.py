"""Signals as events of the worker."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Final

from jobrunner.protocol.linux import KEEPER_LOST_SIGNAL

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP is what a closed terminal sends: the jobs of a worker that runs in one are finished, not cut off."""


@contextlib.contextmanager
def stop_signals(on_signal: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call ``on_signal`` on the loop for every stop signal, for as long as the context lasts."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            # What comes now asks for what is being done; the default action would turn it into a failure.
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def keeper_lost(on_loss: Callable[[], None]) -> Iterator[None]:
    """Call ``on_loss`` on the loop when the keeper above this process is killed."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(KEEPER_LOST_SIGNAL, on_loss)
    try:
        yield
    finally:
        loop.remove_signal_handler(KEEPER_LOST_SIGNAL)
