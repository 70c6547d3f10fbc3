"""ChildStarts under a microscope, run as a program: what a child does when its parents end at the worst moment.

Prints what the last process of the chain reported. The chain is: this program, the supervisor, the middle, the child.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

from multiprocess import process as multiprocess_process

from jobrunner.bootstrap import become_child, wait_for_adoption
from jobrunner.isolation.child import SpawnedIsolation
from jobrunner.protocol import linux
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Descriptors
from jobrunner.protocol.isolation import Isolation

PR_GET_PDEATHSIG = 2


def death_signal() -> int:
    number = ctypes.c_int()
    ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            os._exit(99)
        time.sleep(0.001)


def early() -> None:
    """A middle that stays: the child must wait, and must not tie itself to the middle meanwhile."""
    linux.become_subreaper()
    supervisor, told, go = os.getpid(), os.pipe(), os.pipe()
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            os.close(go[1])
            os.write(told[1], b"born ")
            wait_for_adoption(supervisor)
            os.write(told[1], b"adopted by %d signal %d" % (os.getppid() == supervisor, death_signal()))
            os._exit(0)
        os.close(go[1])
        os.read(go[0], 1)
        os._exit(0)
    os.close(told[1])
    first = os.read(told[0], 100)
    os.set_blocking(told[0], False)
    time.sleep(0.1)  # the time in which a child that does not wait would have gone on
    with contextlib.suppress(BlockingIOError):
        first += os.read(told[0], 100)
    os.set_blocking(told[0], True)
    os.close(go[1])
    rest = os.read(told[0], 100)
    print(f"before: {first.decode().strip()}; after: {rest.decode()}")


def orphaned() -> None:
    """A supervisor that dies after the child has seen it as its parent, before the child's PDEATHSIG is set."""
    linux.become_subreaper()
    supervisor = os.fork()
    if supervisor == 0:
        linux.become_subreaper()
        if os.fork() == 0:
            _be_orphaned_at_the_worst_moment(os.getppid())
        while True:
            signal.pause()
    os.waitpid(supervisor, 0)
    _, status = os.waitpid(-1, 0)
    print(f"child ended with {os.waitstatus_to_exitcode(status)}")


def _be_orphaned_at_the_worst_moment(supervisor: int) -> None:
    set_death_signal = linux.die_with_parent

    def too_late() -> None:
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: os.getppid() != supervisor)
        set_death_signal()

    linux.die_with_parent = too_late
    wait_for_adoption(supervisor)
    os._exit(42)


def identity() -> None:
    """A child of a process that has a command line, a script and the marks of a daemon of `multiprocess`."""
    linux.become_subreaper()
    supervisor, said = os.getpid(), os.pipe()
    sys.argv = ["supervisor", "--secret"]
    multiprocess_process.current_process()._config["daemon"] = True
    if os.fork() == 0:
        channel, dump = os.open(os.devnull, os.O_RDWR), os.memfd_create("dump")
        become_child(
            supervisor,
            Descriptors(channel, said[1], said[1], dump),
            Confinement(),
            SpawnedIsolation(Isolation()),
        )
        daemon = multiprocess_process.current_process().daemon
        os.write(1, f"{sys.argv} {hasattr(sys.modules['__main__'], 'SCRIPT')} {daemon}".encode())
        os._exit(0)
    os.close(said[1])
    print(os.read(said[0], 1000).decode())


def signals() -> None:
    """A child of a process that ignores, catches and blocks signals."""
    linux.become_subreaper()
    supervisor, said = os.getpid(), os.pipe()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))
    if os.fork() == 0:
        channel, dump = os.open(os.devnull, os.O_RDWR), os.memfd_create("dump")
        become_child(
            supervisor,
            Descriptors(channel, said[1], said[1], dump),
            Confinement(),
            SpawnedIsolation(Isolation()),
        )
        actions = [signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        os.write(1, f"{[int(action) for action in actions]} {blocked}".encode())
        os._exit(0)
    os.close(said[1])
    print(os.read(said[0], 1000).decode())


SCRIPT = "what only the script of whoever started a child has"

if __name__ == "__main__":
    {"early": early, "orphaned": orphaned, "identity": identity, "signals": signals}[sys.argv[1]]()
