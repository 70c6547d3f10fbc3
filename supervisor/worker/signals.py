"""Turns signals into events of the worker."""

import asyncio
import contextlib
import functools
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Final

from jobrunner.protocol.linux import KEEPER_LOST_SIGNAL
from supervisor.keeper import BOUND_SECONDS, kill_all_children, remove_cgroups

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_LAST_STOP: Final = 3
_HARMLESS: Final = signal.SIGURG
"""By default it is ignored (signal(7)), so it is no risk when that default is restored."""


@contextlib.contextmanager
def stop_signals(
    on_signal: Callable[[signal.Signals], None],
    on_hangup: Callable[[], None] | None = None,
    on_third: Callable[[signal.Signals], None] | None = None,
) -> Iterator[None]:
    """Call `on_signal` on the loop for every stop signal, for as long as the context lasts.

    `on_third` is called at once for the third SIGTERM or SIGINT, because the loop may hang.

    Without `on_hangup`, SIGHUP is also a stop signal. With it, SIGHUP is a stop signal only if the terminal was closed:
    a worker in that terminal finishes its jobs and does not cut them off. This is reported once, and not at all if
    somebody has asked for a stop before: a closed terminal never shortens the jobs' time.
    """
    loop = asyncio.get_running_loop()
    had_terminal = has_terminal()
    stops = 0
    terminal_is_gone = False

    def hang_up() -> None:
        nonlocal terminal_is_gone
        if terminal_is_gone:
            # One terminal causes two: bash and zsh pass theirs on to their jobs, and end. Then the kernel sends one to
            # the foreground jobs of the session that such a shell has led (exit(3)).
            return
        if had_terminal and not has_terminal():
            terminal_is_gone = True
            turn_output_off()
            if not stops:
                on_signal(signal.SIGHUP)
        elif on_hangup is None:
            on_signal(signal.SIGHUP)
        else:
            on_hangup()

    actions: dict[signal.Signals, Callable[[], None]] = {
        number: functools.partial(on_signal, number) for number in STOP_SIGNALS
    }
    actions[signal.SIGHUP] = hang_up

    def to_loop(number: int, _: types.FrameType | None) -> None:
        nonlocal stops
        stops += number in STOP_SIGNALS
        if stops == _LAST_STOP and on_third is not None:
            on_third(signal.Signals(number))
        loop.call_soon_threadsafe(actions[signal.Signals(number)])

    # It does nothing, and nobody sends it. But while the loop has one handler, every signal wakes the loop.
    loop.add_signal_handler(_HARMLESS, _nothing)
    for number in actions:
        signal.signal(number, to_loop)
        signal.siginterrupt(number, False)
    try:
        yield
    finally:
        for number in actions:
            # A signal at this point asks for what is being done already; the default action would make it a failure.
            # This is why the loop's own handlers are not used: when the loop removes one, it restores the default
            # action, if only for an instant.
            signal.signal(number, signal.SIG_IGN)
        loop.remove_signal_handler(_HARMLESS)


def _nothing() -> None: ...


@contextlib.contextmanager
def keeper_lost(on_loss: Callable[[], None]) -> Iterator[None]:
    """Call `on_loss` on the loop when the keeper above this process is killed."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(KEEPER_LOST_SIGNAL, on_loss)
    try:
        yield
    finally:
        loop.remove_signal_handler(KEEPER_LOST_SIGNAL)


def leave_nothing_alive() -> None:
    """The keeper was killed, and nobody else would clean up after this process: do it now, and end."""
    kill_all_children(BOUND_SECONDS)
    remove_cgroups()
    os._exit(128 + signal.SIGKILL)


def has_terminal() -> bool:
    """Whether this process has a terminal that still exists: a closed one does not count (tty_ioctl(4), EIO)."""
    try:
        return sys.stderr is not None and os.isatty(sys.stderr.fileno())
    except (OSError, ValueError):
        return False


def turn_output_off() -> None:
    """Discard all output from now on: the reader is gone, and an orderly end must not fail at its last line."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
