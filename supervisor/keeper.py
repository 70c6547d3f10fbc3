"""The keeper: a tiny parent of the supervisor, so that killing either of the two leaves nothing alive.

When a supervisor is killed with SIGKILL, its children die with it (PDEATHSIG), but what a block has started does not:
it is handed to the next subreaper above, or to pid 1, where nobody knows it. The keeper is that subreaper. When the
keeper is killed instead, the supervisor is told by a signal and does the same (`docs/adr/0003`).

Imports next to nothing: it stays in memory for as long as the worker runs.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jobrunner.protocol import linux
from supervisor.process import kept
from supervisor.process.cgroups.files import kill_and_remove

BOUND_SECONDS: Final = 5.0
_REMOVE_SECONDS: Final = 1.0
_FORWARDED: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_HEARD: Final = _FORWARDED | {signal.SIGCHLD}


def keep(run: Callable[[], int]) -> int:
    """Run ``run`` in a child process and return its exit code, once nothing below is left.

    Returns in both processes: in the child, with what ``run`` returned. A child that was killed is 128 + signal.
    """
    linux.become_subreaper()
    keeper = os.getpid()
    kept.share_memory()
    # Blocked before the fork, so that no signal can come in between and end the keeper alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    supervisor = os.fork()
    if supervisor == 0:
        kept.be_kept_by(keeper)
        linux.die_with_parent(linux.KEEPER_LOST_SIGNAL)
        # A group of its own: a signal to the keeper's group, such as a Ctrl-C, must not come twice.
        os.setpgid(0, 0)
        for number in _FORWARDED:
            signal.signal(number, _stop_before_the_start)
        # Asks for code and settings to be read anew, and they have not been read yet.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        if os.getppid() != keeper:
            return 128 + signal.SIGKILL
        return run()
    linux.forbid_inspection()
    linux.set_process_name("neops-keeper")
    code = _wait(supervisor)
    killed = kill_all_children(BOUND_SECONDS)
    remove_cgroups()
    if code < 0:
        name = signal.Signals(-code).name
        print(
            f"supervisor: the worker was ended by {name}; {killed} process(es) of it were killed.",
            file=sys.stderr,
        )
    return 128 - code if code < 0 else code


def remove_cgroups() -> None:
    """Kill what is left in the supervisor's cgroups, and remove them. To be called when it has ended or is about to."""
    for path in kept.left_to_keeper():
        kill_and_remove(path, _REMOVE_SECONDS)


def _stop_before_the_start(number: int, _frame: object) -> None:
    """Be told to stop while there is nothing yet that would have to be stopped."""
    print(f"supervisor: stopped by {signal.Signals(number).name} before it had started.", file=sys.stderr)
    os._exit(0)


def _wait(supervisor: int) -> int:
    """Forward signals until the supervisor ends; return its exit code, negative for a signal."""
    while True:
        heard = signal.sigwaitinfo(_HEARD)
        if heard.si_signo != signal.SIGCHLD:
            os.kill(supervisor, heard.si_signo)
            continue
        pid, status = os.waitpid(supervisor, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)


def kill_all_children(bound_seconds: float) -> int:
    """Kill every child of this process, and what they hand up when they die, until none is left or the time is over.

    Returns how many. Only direct children are signalled: they can't be strangers while nobody has waited for them.
    """
    end = time.monotonic() + bound_seconds
    killed: set[int] = set()
    while (children := _children()) and time.monotonic() < end:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        killed |= children
        _reap()
        time.sleep(0.001)
    return len(killed)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _children() -> set[int]:
    """Return this process's children, the dead included, over all its threads."""
    children: set[int] = set()
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            children.update(map(int, Path(f"/proc/self/task/{thread}/children").read_text().split()))
    return children
