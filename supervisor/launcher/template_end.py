"""Ending a template: at once, or without waiting where it may take its time."""

import asyncio
import contextlib
import os
import signal
from typing import Final

from supervisor.launcher.importer import TemplateProcess
from supervisor.launcher.template_look import forks_of
from supervisor.process.proc import signal_child_of

_FIRST_PAUSE_SECONDS: Final = 0.001
_LONGEST_PAUSE_SECONDS: Final = 1.0


def end_now(template: TemplateProcess) -> str:
    """Kill a template and wait for it, which takes a millisecond. Returns how it ended."""
    _kill(template)
    return template.reap()


def kill_hanging(template: TemplateProcess) -> list[int]:
    """Kill a template that does not answer, and what it has forked that hangs too. Returns the numbers of the latter.

    It is to be waited for: see `wait_for_end`.
    """
    forks = [pid for pid in forks_of(template.pid) if signal_child_of(template.pid, pid, signal.SIGKILL)]
    _kill(template)
    return forks


def _kill(template: TemplateProcess) -> None:
    asyncio.get_running_loop().remove_reader(template.control)
    template.inherited.others_have_it = False
    # One that is ending anyway keeps its own status.
    with contextlib.suppress(ProcessLookupError):
        os.kill(template.pid, signal.SIGKILL)


async def wait_for_end(template: TemplateProcess) -> None:
    """Wait for a template that was killed. One that waits for a dead disk takes as long as the disk."""
    pause = _FIRST_PAUSE_SECONDS
    while os.waitid(os.P_PID, template.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:  # noqa: ASYNC222  # WNOHANG
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    template.reap()
