"""Kills a template. Its end is awaited beside the loop: see `TemplateProcess.see_dead`."""

import asyncio
import contextlib
import logging
import os
import signal

from supervisor.launcher.endings import MOMENT_SECONDS
from supervisor.launcher.importer import TemplateProcess
from supervisor.launcher.template_look import forks_of
from supervisor.log.event import tell
from supervisor.log.events.processes import TemplateEnded, TemplateReplaced
from supervisor.process.proc import signal_child_of
from supervisor.process.time_limit import time_limit

_log = logging.getLogger(__name__)


def kill_hanging(template: TemplateProcess) -> list[int]:
    """Kill a template that does not answer, and its forks that hang too. Returns the pids of these forks."""
    forks = [pid for pid in forks_of(template.pid) if signal_child_of(template.pid, pid, signal.SIGKILL)]
    kill(template)
    return forks


def kill(template: TemplateProcess) -> None:
    """Kill a template that nobody listens to any more, and close the way to ask it."""
    asyncio.get_running_loop().remove_reader(template.control)
    template.control.close()
    template.inherited.others_have_it = False
    # If it is ending anyway, it keeps its own status.
    with contextlib.suppress(ProcessLookupError):
        os.kill(template.pid, signal.SIGKILL)


async def tell_end(template: TemplateProcess) -> None:
    """Log how a killed template has ended, when that is known."""
    try:
        async with time_limit(MOMENT_SECONDS):
            status = await template.see_dead()
    except TimeoutError:
        reason = "It hears nothing more, and does not end by SIGKILL either."
        tell(_log, TemplateReplaced(pid=template.pid, reason=reason))
        await template.see_dead()
    else:
        tell(_log, TemplateEnded(status=status))
