"""The first steps of a new child, in the one order that is safe."""

import _signal  # type: ignore[import-not-found]  # of CPython; typeshed leaves it out
import contextlib
import faulthandler
import fcntl
import os
import signal
import sys
import time
import types
from importlib.machinery import ModuleSpec
from typing import Final

from multiprocess import process as multiprocess_process
from multiprocess import resource_tracker

from jobrunner.awaits import write_awaiting_when_idle, write_threads_when_idle
from jobrunner.containment import contain
from jobrunner.isolation.child import ChildIsolation
from jobrunner.job_user import become_user
from jobrunner.protocol import linux
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Descriptors
from jobrunner.stdio import bind_input

CHILD_ARGV: Final = ["neops-job"]
CHANNEL_DESCRIPTOR: Final = 3
DUMP_DESCRIPTOR: Final = 4
_ADOPTION_TIMEOUT_SECONDS: Final = 5.0
_LEAST_LOOKS: Final = 100
"""So many looks are made whatever the clock says: the machine may have stood still all the time."""
_PARKED: Final = 64
_IN_THEIR_INTERPRETERS: Final = "jobrunner.authors_interpreter"
_IGNORED_ABOVE: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGTTOU,
    signal.SIGTTIN,
    signal.SIGTSTP,
)
"""Signals that the template, or keeper and supervisor, ignore."""


def wait_for_adoption(supervisor_pid: int) -> None:
    """Wait until the supervisor is the parent, then tie this process's life to it, then check the parent again.

    A session holder's fork is the supervisor's child at once. After a double fork the middle process is still the
    parent for a moment. PDEATHSIG watches the parent of the moment in which it is set: if it were set too early, it
    would kill the child when the middle process ends. The second check is for a supervisor that died in between: no
    signal would report its death.
    """
    end = time.monotonic() + _ADOPTION_TIMEOUT_SECONDS
    looks = 0
    while os.getppid() != supervisor_pid:
        looks += 1
        if looks > _LEAST_LOOKS and time.monotonic() > end:
            os._exit(1)
        time.sleep(0.0001)
    tie_life_to(supervisor_pid)


def tie_life_to(supervisor_pid: int) -> None:
    """Make the kernel kill this process when the supervisor, its parent, ends. End at once if it has ended already."""
    linux.die_with_parent()
    if os.getppid() != supervisor_pid:
        os._exit(1)


def reset_identity() -> None:
    """Hide the supervisor's command line and script, and allow blocks to use `multiprocess` themselves."""
    sys.argv = list(CHILD_ARGV)
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    # `multiprocessing` runs this first in an interpreter that a block starts.
    main.__spec__ = ModuleSpec(_IN_THEIR_INTERPRETERS, None)
    # `multiprocess` forbids children to daemonic processes. The flag belongs to the template, not to this process.
    multiprocess_process.current_process()._config.pop("daemon", None)
    # The tracker's pipe is closed below. By then its old number could belong to a file of the block.
    resource_tracker._resource_tracker._fd = None
    resource_tracker._resource_tracker._pid = None


def reset_signals() -> None:
    """Set the default action for every signal, and block none: processes above ignore some, and a child inherits that.

    Not by `signal`: it would make enums of all these numbers, and of the actions, in each child.
    """
    for number in _IGNORED_ABOVE:
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def take_descriptors(descriptors: Descriptors) -> Descriptors:
    """Give stdout, stderr, channel and dump their numbers, and make an empty stdin. Other descriptors are still open.

    `sys.stdin` then reads the empty stdin: `multiprocess` has opened it on some number, which is one of these now.

    If a descriptor survived an `exec` in a daemon of the block, it would keep the job's channel open for ever. So all
    except stdio are not inheritable (CPython leaves descriptors that came over a socket inheritable).
    """
    # First moved far above all numbers in use, so that the moves below can't overwrite each other.
    channel, dump, stdout, stderr = (
        fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _PARKED)
        for descriptor in (descriptors.channel, descriptors.dump, descriptors.stdout, descriptors.stderr)
    )
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    bind_input()
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(channel, CHANNEL_DESCRIPTOR, inheritable=False)
    os.dup2(dump, DUMP_DESCRIPTOR, inheritable=False)
    return Descriptors(channel=CHANNEL_DESCRIPTOR, stdout=1, stderr=2, dump=DUMP_DESCRIPTOR)


def close_everything_above(highest_kept: int) -> None:
    """Close every descriptor above `highest_kept`, whoever has opened it."""
    if linux.close_from(highest_kept + 1):
        return
    for name in os.listdir("/proc/self/fd"):
        if int(name) > highest_kept:
            with contextlib.suppress(OSError):  # the descriptor of the listing itself is closed already
                os.close(int(name))


def _tell_place_when_asked(dump: int) -> None:
    """Make two signals write stacks, of every thread and of one; and three others what is behind an idle loop.

    C code answers the first two at once. Python answers the others, so they are separate signals: C code that holds
    the GIL (`pow`) would release it to run the handler.
    """

    def tell_awaits(number: int, frame: types.FrameType | None) -> None:
        write_awaiting_when_idle(frame, dump, for_a_person=number == linux.AWAITS_AGAIN_SIGNAL)

    def tell_threads(_: int, frame: types.FrameType | None) -> None:
        write_threads_when_idle(frame, dump)

    faulthandler.register(linux.DUMP_SIGNAL, file=dump, all_threads=True, chain=False)
    faulthandler.register(linux.MAIN_STACK_SIGNAL, file=dump, all_threads=False, chain=False)
    handlers = {
        linux.THREADS_SIGNAL: tell_threads,
        linux.AWAITS_SIGNAL: tell_awaits,
        linux.AWAITS_AGAIN_SIGNAL: tell_awaits,
    }
    for asked, handler in handlers.items():
        _signal.signal(asked, handler)
        signal.siginterrupt(asked, False)


def become_child(
    supervisor_pid: int, descriptors: Descriptors, confinement: Confinement, isolation: ChildIsolation
) -> Descriptors:
    """Turn a new fork (or a new interpreter) into a child that may run a block. Returns its descriptors.

    Raises `IsolationError` if it can't be isolated as ordered.
    """
    wait_for_adoption(supervisor_pid)
    # Its own group, in the session that it was born into. If it led a session, the next terminal that it opens would
    # become its controlling one, and SIGHUP would end it when that terminal is closed.
    os.setpgid(0, 0)
    # While this child lives, it becomes the parent of its daemons, not the supervisor. So an unknown child that the
    # supervisor gets belongs to a job that has ended.
    linux.become_subreaper()
    reset_signals()
    reset_identity()
    descriptors = take_descriptors(descriptors)
    first_free = isolation.prepare(DUMP_DESCRIPTOR + 1)
    close_everything_above(first_free - 1)
    _tell_place_when_asked(descriptors.dump)
    faulthandler.enable(file=descriptors.dump, all_threads=True)
    linux.set_process_name("neops-spare")
    contain(confinement)
    if confinement.user is not None:
        become_user(confinement.user)
        # The change of the user has removed PDEATHSIG; and a supervisor that died in that time sends nothing.
        tie_life_to(supervisor_pid)
    # This is last, because it takes away privileges that a change of the user needs.
    isolation.forbid_escape()
    return descriptors
