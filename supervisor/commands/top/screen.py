"""`top` on a terminal: one picture, redrawn each second, until Ctrl-C."""

import signal
import time
from collections.abc import Callable
from typing import Final, NoReturn

from rich.console import Console
from rich.live import Live

from supervisor.commands.shared.common import ended_as_by_ctrl_c
from supervisor.commands.top.picture import picture_of, picture_without_worker
from supervisor.commands.top.rates import CpuShares
from supervisor.commands.top.snapshot import Snapshot
from supervisor.worker.control_socket.client import NoWorkerError
from supervisor.worker.control_socket.protocol import ControlError

_ANSWERS_LATER: Final = frozenset({"starting", "busy"})
"""Causes of a refusal that will pass. A restarted worker sends the first of them until it is ready."""

Ask = Callable[[], Snapshot]
Clock = Callable[[], str]


def show_live(console: Console, ask: Ask, clock: Clock, pause_seconds: float) -> NoReturn:
    """Draw the result of `ask` until Ctrl-C, on the terminal's alternate screen: the earlier content comes back.

    While nobody answers, the picture says so, and it finds a restarted worker again. Raises the errors of `ask` at the
    first time, and `KeyboardInterrupt`.
    """
    shares = CpuShares()
    snapshot: Snapshot | None = ask()
    silent_since, message = "", ""
    with ended_as_by_ctrl_c(signal.SIGTERM), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            if snapshot is not None:
                shares.add(time.monotonic(), snapshot)
                width, height = console.size
                picture = picture_of(snapshot, shares.share_of, clock(), width, height)
            else:
                picture = picture_without_worker(message, silent_since)
            live.update(picture, refresh=True)
            time.sleep(pause_seconds)
            snapshot, message = _asked(ask)
            silent_since = silent_since or clock() if snapshot is None else ""


def _asked(ask: Ask) -> tuple[Snapshot | None, str]:
    """Return the answer, or `None` and why nobody answers now. Raises `ControlError` for every other refusal."""
    try:
        return ask(), ""
    except NoWorkerError as error:
        return None, str(error)
    except ControlError as error:
        if error.cause not in _ANSWERS_LATER:
            raise
        return None, str(error)
