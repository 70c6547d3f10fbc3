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

from jobrunner.awaits import write_awaiting_when_idle
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
"""By the template, or by keeper and supervisor."""


def wait_for_adoption(supervisor_pid: int) -> None:
    """Wait until the supervisor is the parent, then tie this process's life to it, then look again.

    A session holder's fork is the supervisor's child at once. After a double fork the middle process is still the
    parent for a moment, and PDEATHSIG follows whoever is the parent when it is set: set too early, it kills the child
    when the middle ends. The second look is for a supervisor that died in between, whose death nobody would signal.
    """
    end = time.monotonic() + _ADOPTION_TIMEOUT_SECONDS
    while os.getppid() != supervisor_pid:
        if time.monotonic() > end:
            os._exit(1)
        time.sleep(0.0001)
    tie_life_to(supervisor_pid)


def tie_life_to(supervisor_pid: int) -> None:
    """Have the kernel kill this process when the supervisor, its parent, ends; end at once where it has ended."""
    linux.die_with_parent()
    if os.getppid() != supervisor_pid:
        os._exit(1)


def reset_identity() -> None:
    """Hide the supervisor's command line and script, and let blocks use `multiprocess` themselves."""
    sys.argv = list(CHILD_ARGV)
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    # What `multiprocessing` runs first in an interpreter that a block starts.
    main.__spec__ = ModuleSpec(_IN_THEIR_INTERPRETERS, None)
    # `multiprocess` forbids children to daemonic processes; the flag is the template's, not this process's.
    multiprocess_process.current_process()._config.pop("daemon", None)
    # The tracker's pipe is closed below; a stale number could by then be a file of the block.
    resource_tracker._resource_tracker._fd = None
    resource_tracker._resource_tracker._pid = None


def reset_signals() -> None:
    """Default action for every signal, nothing blocked: those above ignore some, and that is inherited.

    Not by `signal`: each child would make enums of all these numbers, and of the actions.
    """
    for number in _IGNORED_ABOVE:
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def take_descriptors(descriptors: Descriptors) -> Descriptors:
    """Give stdout, stderr, channel and dump their numbers, beside an empty stdin. Others are still open then.

    `sys.stdin` reads the empty stdin: `multiprocess` has opened it on some number, which now is one of these.

    A descriptor that survives an `exec` in a daemon of the block would keep the job's channel open for ever,
    so all but stdio are non-inheritable (CPython leaves descriptors received over a socket inheritable).
    """
    # Far above everything in use first, so that the moves below can't overwrite each other.
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
    """Close every descriptor above `highest_kept`, whatever left it open."""
    if linux.close_from(highest_kept + 1):
        return
    for name in os.listdir("/proc/self/fd"):
        if int(name) > highest_kept:
            with contextlib.suppress(OSError):  # the listing's own descriptor is closed already
                os.close(int(name))


def _tell_place_when_asked(dump: int) -> None:
    """Have two signals write stacks, of every thread and of one, and two others what tasks of a loop that waits await.

    The first two are answered at once, by C code. The others by Python, and so not in the same go: C code that holds
    the GIL (`pow`) would let it go to run the handler.
    """

    def tell_awaits(number: int, frame: types.FrameType | None) -> None:
        write_awaiting_when_idle(frame, dump, for_a_person=number == linux.AWAITS_AGAIN_SIGNAL)

    faulthandler.register(linux.DUMP_SIGNAL, file=dump, all_threads=True, chain=False)
    faulthandler.register(linux.MAIN_STACK_SIGNAL, file=dump, all_threads=False, chain=False)
    for asked in (linux.AWAITS_SIGNAL, linux.AWAITS_AGAIN_SIGNAL):
        _signal.signal(asked, tell_awaits)
        signal.siginterrupt(asked, False)


def become_child(
    supervisor_pid: int, descriptors: Descriptors, confinement: Confinement, isolation: ChildIsolation
) -> Descriptors:
    """Turn a fresh fork (or a fresh interpreter) into a child that may run a block. Returns its descriptors.

    Raises `IsolationError` when it can't be kept apart as it was ordered.
    """
    wait_for_adoption(supervisor_pid)
    # A group of its own, in the session that it was born into. Who leads a session gets the next terminal
    # that it opens as its controlling one, and is ended by SIGHUP when that is closed.
    os.setpgid(0, 0)
    # Daemons of this job are re-parented to it, not to the supervisor, as long as it lives. So whatever unknown
    # child the supervisor gets belongs to a job that has ended.
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
        # The change of the user has taken PDEATHSIG away; and again, a supervisor that died meanwhile sends nothing.
        tie_life_to(supervisor_pid)
    # Last: a change of the user needs the privileges that this takes.
    isolation.forbid_escape()
    return descriptors
