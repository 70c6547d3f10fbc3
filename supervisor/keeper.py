"""The keeper: a tiny parent of the supervisor, so that killing either of the two leaves nothing alive.

If a supervisor is killed with SIGKILL, its children die with it (PDEATHSIG), but the processes that a block has started
do not. They become children of the next subreaper above, or of pid 1, which knows nothing about them. The keeper is
that subreaper. If the keeper is killed instead, a signal reports it to the supervisor, which then does the same
(`docs/adr/0003`).

It is also the one process that systemd listens to (`docs/adr/0026`).

Imports almost nothing: it stays in memory for as long as the worker runs.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from jobrunner.protocol import linux
from supervisor.process import kept
from supervisor.process.cgroups.files import kill_and_remove
from supervisor.process.last_words import say_now
from supervisor.process.notification_relay import RETRY_SECONDS, NotificationRelay
from supervisor.process.signal_names import signal_name
from supervisor.process.unreapable import children_of, exit_status_of

BOUND_SECONDS: Final = 5.0
_REMOVE_SECONDS: Final = 1.0
_LEAST_ROUNDS: Final = 20
"""So many rounds of kills are made whatever the clock says: the machine may have stood still all the time."""
_FORWARDED: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_HEARD: Final = _FORWARDED | {signal.SIGCHLD, signal.SIGABRT, signal.SIGIO}
_LOOK_SECONDS: Final = 5.0
_LOOK_WHILE_STOPPING_SECONDS: Final = 0.5

LAST_SECONDS: Final = 2.0
"""How long the supervisor may take to stop after the third signal, or after systemd's watchdog has asked where it
hangs; and how long a dead one may take until the kernel lets it be reaped."""


def keep(run: Callable[[], int], *, program: str = "supervisor", runs_until_stopped: bool = True) -> int:
    """Run `run` in a child process and return its exit code, once nothing below is left.

    Returns in both processes; in the child, with the result of `run`. A child that was killed is 128 + signal.

    If a signal to stop comes before `run` listens, it ends the child at once, and `program` says so. Then the exit code
    is 0 for a program that runs until it is stopped. It is 128 + signal for a program with an answer: a missing answer
    must not look like a good one.
    """
    linux.become_subreaper()
    keeper = os.getpid()
    kept.share()
    # Blocked before the fork: no signal can come in between and end only the keeper.
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    ignore_terminal()
    supervisor = os.fork()
    if supervisor == 0:
        kept.be_kept_by(keeper)
        linux.die_with_parent(linux.KEEPER_LOST_SIGNAL)
        # A group of its own: a signal to the keeper's group, such as a Ctrl-C, must not come twice.
        os.setpgid(0, 0)
        for number in _FORWARDED:
            signal.signal(number, partial(_stop_early, program, runs_until_stopped))
        # SIGHUP asks for a new reading of code and settings, and they have not been read yet.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        if os.getppid() != keeper:
            return 128 + signal.SIGKILL
        return run()
    linux.forbid_inspection()
    linux.set_process_name(kept.KEEPER_NAME)
    relay = kept.relay()
    if relay is not None:
        relay.listen()
    code, is_stuck = _Waiting(supervisor, relay).wait()
    killed = kill_all_children(BOUND_SECONDS, stuck=supervisor if is_stuck else None)
    remove_cgroups()
    if is_stuck:
        say_now(
            f"supervisor: the worker has ended, but the kernel keeps its process {supervisor} until a disk answers "
            "for which it waits. Until then its state directory stays in use."
        )
    if code < 0:
        name = signal_name(-code)
        say_now(f"supervisor: the worker was ended by {name}; {killed} process(es) of it were killed.")
    return 128 - code if code < 0 else code


def ignore_terminal() -> None:
    """Let no terminal stop this process.

    Any process that may open the terminal can set TOSTOP. Then SIGTTOU stops a process that writes from a group of its
    own (termios(3)). A stopped worker sends no heartbeat, and its claims are lost. For the same reason a Ctrl-Z
    (SIGTSTP) does nothing. Children get the default actions back (`jobrunner.bootstrap`).
    """
    for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)


def remove_cgroups() -> None:
    """Kill what is left in the supervisor's cgroups, and remove them. Call it when it has ended or is about to."""
    for path in kept.left_to_keeper():
        kill_and_remove(path, _REMOVE_SECONDS)


def _stop_early(program: str, runs_until_stopped: bool, number: int, _frame: object) -> None:
    """End at a signal to stop while there is nothing yet to stop, or nothing that listens."""
    name = signal.Signals(number).name
    if runs_until_stopped:
        say_now(f"{program}: stopped by {name} before it had started.")
        os._exit(0)
    say_now(f"{program}: ended by {name}.")
    os._exit(128 + number)


class _Waiting:
    """Forwards signals to the supervisor, and the supervisor's messages to systemd, until the supervisor ends."""

    def __init__(self, supervisor: int, relay: NotificationRelay | None) -> None:
        self._supervisor = supervisor
        self._relay = relay
        self._stops = 0
        self._kill_at: float | None = None
        self._dead_since: float | None = None

    def wait(self) -> tuple[int, bool]:
        """Return its exit code, negative for a signal, and whether the kernel still keeps the process.

        The third signal to stop always ends it: by SIGKILL, if it does not end by itself.
        """
        while True:
            heard = signal.sigtimedwait(_HEARD, self._pause_seconds())
            if heard is not None:
                self._hear(heard.si_signo)
            pid, status = os.waitpid(self._supervisor, os.WNOHANG)
            if pid:
                self._pass_on()  # its last messages
                return os.waitstatus_to_exitcode(status), False
            if (code := self._look(time.monotonic())) is not None:
                return code, True

    def _pause_seconds(self) -> float:
        if self._pass_on():
            return RETRY_SECONDS
        is_ending = self._stops or self._kill_at is not None or self._dead_since is not None
        return _LOOK_WHILE_STOPPING_SECONDS if is_ending else _LOOK_SECONDS

    def _pass_on(self) -> bool:
        return self._relay is not None and self._relay.pass_on()

    def _hear(self, number: int) -> None:
        # SIGABRT: systemd's watchdog. The supervisor writes where it hangs, and ends, if it still can.
        if number in _FORWARDED or number == signal.SIGABRT:
            os.kill(self._supervisor, number)
        self._stops += number in _STOPS
        if (self._stops >= 3 or number == signal.SIGABRT) and self._kill_at is None:
            self._kill_at = time.monotonic() + LAST_SECONDS

    def _look(self, now: float) -> int | None:
        """Return its exit code if it is dead but the kernel does not let one of its threads go.

        A failed look proves nothing. `waitpid` reports a process that has ended and can be reaped.
        """
        is_killed = self._kill_at is not None and now >= self._kill_at
        if is_killed:
            os.kill(self._supervisor, signal.SIGKILL)
        code = exit_status_of(self._supervisor)
        if code is None and not is_killed:
            self._dead_since = None
            return None
        self._dead_since = self._dead_since or now
        if now < self._dead_since + LAST_SECONDS:
            return None
        return -signal.SIGKILL if code is None else code


def kill_all_children(bound_seconds: float, *, stuck: int | None = None) -> int:
    """Kill every child of this process, and the children that come up when they die, until none is left or time is up.

    Returns how many. Only direct children are signalled: their numbers are their own as long as nobody has reaped them.
    `stuck` is a child that is killed already, but the kernel keeps it: its children are killed in its place.
    """
    end = time.monotonic() + bound_seconds
    killed: set[int] = set()
    rounds = 0
    while time.monotonic() < end or rounds < _LEAST_ROUNDS:
        rounds += 1
        try:
            children = _children(stuck)
        except FileNotFoundError:  # no /proc: no process can be found
            break
        except OSError:  # no descriptor or memory is left to look with; there may be some in a moment
            time.sleep(0.01)
            continue
        if not children:
            break
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


def _children(stuck: int | None) -> set[int]:
    """Return this process's children, with dead ones. In place of `stuck`, those of its children that live."""
    own = children_of("self")
    if stuck is None:
        return own
    try:
        below = children_of(stuck)
    except (FileNotFoundError, ProcessLookupError):  # the kernel has released it
        below = set()
    return (own - {stuck}) | {pid for pid in below if exit_status_of(pid) is None}
