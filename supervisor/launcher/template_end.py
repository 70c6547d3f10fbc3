"""Killing a template. It is waited for beside the loop: see `TemplateProcess.see_dead`."""

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

_log = logging.getLogger(__name__)


def kill_hanging(template: TemplateProcess) -> list[int]:
    """Kill a template that does not answer, and what it has forked that hangs too. Returns the pids of the latter."""
    forks = [pid for pid in forks_of(template.pid) if signal_child_of(template.pid, pid, signal.SIGKILL)]
    kill(template)
    return forks


def kill(template: TemplateProcess) -> None:
    """Kill a template that is heard no more, and have nobody ask it for anything."""
    asyncio.get_running_loop().remove_reader(template.control)
    template.control.close()
    template.inherited.others_have_it = False
    # One that is ending anyway keeps its own status.
    with contextlib.suppress(ProcessLookupError):
        os.kill(template.pid, signal.SIGKILL)


async def tell_end(template: TemplateProcess) -> None:
    """Tell how a template has ended that was killed, when that is known."""
    try:
        async with asyncio.timeout(MOMENT_SECONDS):
            status = await template.see_dead()
    except TimeoutError:
        reason = "It hears nothing more, and does not end by SIGKILL either."
        tell(_log, TemplateReplaced(pid=template.pid, reason=reason))
        await template.see_dead()
    else:
        tell(_log, TemplateEnded(status=status))
