"""Signals as events of the worker."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Final

from jobrunner.protocol.linux import KEEPER_LOST_SIGNAL

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def stop_signals(
    on_signal: Callable[[signal.Signals], None], on_hangup: Callable[[], None] | None = None
) -> Iterator[None]:
    """Call ``on_signal`` on the loop for every stop signal, for as long as the context lasts.

    SIGHUP is one as well, unless there is an ``on_hangup``. Then it is one only when it comes because the terminal
    was closed: the jobs of a worker that runs in one are finished, not cut off.
    """
    loop = asyncio.get_running_loop()
    had_terminal = has_terminal()

    def hang_up() -> None:
        if had_terminal and not has_terminal():
            turn_output_off()
            on_signal(signal.SIGHUP)
        elif on_hangup is None:
            on_signal(signal.SIGHUP)
        else:
            on_hangup()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        for number in (*STOP_SIGNALS, signal.SIGHUP):
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


def has_terminal() -> bool:
    """Whether this process has a terminal that is still there: one that was closed is none (tty_ioctl(4), EIO)."""
    try:
        return sys.stderr is not None and os.isatty(sys.stderr.fileno())
    except (OSError, ValueError):
        return False


def turn_output_off() -> None:
    """Write to nowhere from now on: who listened is gone, and an orderly end must not fail for its last line."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
