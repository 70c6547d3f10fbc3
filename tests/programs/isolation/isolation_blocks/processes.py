"""Attempts on processes: the worker, and a job that runs beside."""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import struct
import time
from pathlib import Path

from .attempt import Targets, attempt
from .calls import call, libc

_CLONE_PARENT = 0x8000
_SEIZE = 0x4206
_WHO_PROCESS = 1
_NO_USER = 4_000_000_123
_SET_SIGNAL = 10
_BEST_EFFORT_4 = (2 << 13) | 4
_ANSWER_SECONDS = 20.0


def _memory(pid: int, address: int, size: int) -> None:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        if len(memory.read(size)) != size:
            raise ValueError("nothing was read")


@attempt
def sibling_mem(to: Targets) -> None:
    _memory(to.sibling, to.sibling_secret, to.sibling_secret_bytes)


@attempt
def sibling_environ(to: Targets) -> None:
    Path(f"/proc/{to.sibling}/environ").read_bytes()


@attempt
def sibling_descriptor(to: Targets) -> None:
    call("pidfd_getfd", call("pidfd_open", to.sibling, 0), 1, 0)


@attempt
def sibling_file_by_root(to: Targets) -> None:
    Path(f"/proc/{to.sibling}/cwd/secret").read_bytes()


@attempt
def sibling_vm_readv(to: Targets) -> None:
    size = to.sibling_secret_bytes
    here = ctypes.create_string_buffer(size)
    near = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(here), size), 16)
    far = ctypes.create_string_buffer(struct.pack("PN", to.sibling_secret, size), 16)
    call("process_vm_readv", to.sibling, near, 1, far, 1, 0)
    if not here.raw.startswith(b"secret"):
        raise ValueError("something else was read")


@attempt
def sibling_ptrace(to: Targets) -> None:
    pid = os.fork()
    if pid == 0:  # what is traced goes on when its tracer ends
        try:
            call("ptrace", _SEIZE, to.sibling, 0, 0)
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if number := os.waitstatus_to_exitcode(status):
        raise OSError(number, f"ptrace: {os.strerror(number)}")


@attempt
def worker_environ(to: Targets) -> None:
    Path(f"/proc/{to.worker}/environ").read_bytes()


@attempt
def worker_mem(to: Targets) -> None:
    line = Path(f"/proc/{to.worker}/maps").read_text().splitlines()[0]
    _memory(to.worker, int(line.split("-")[0], 16), 16)


@attempt
def worker_signal(to: Targets) -> None:
    os.kill(to.worker, signal.SIGCONT)


@attempt
def sibling_signal(to: Targets) -> None:
    signal.pidfd_send_signal(os.pidfd_open(to.sibling), signal.SIGCONT)


@attempt
def sibling_thread_signal(to: Targets) -> None:
    information = struct.pack("iii4xii", signal.SIGCONT, 0, -1, os.getpid(), os.getuid()).ljust(128, b"\0")
    call("rt_tgsigqueueinfo", to.sibling, to.sibling, int(signal.SIGCONT), information)


@attempt
def worker_limits(to: Targets) -> None:
    now = resource.prlimit(to.worker, resource.RLIMIT_CORE)
    resource.prlimit(to.worker, resource.RLIMIT_CORE, now)


@attempt
def sibling_limits(to: Targets) -> None:
    now = resource.prlimit(to.sibling, resource.RLIMIT_CPU)
    resource.prlimit(to.sibling, resource.RLIMIT_CPU, now)


@attempt
def worker_priority(to: Targets) -> None:
    os.setpriority(os.PRIO_PROCESS, to.worker, os.getpriority(os.PRIO_PROCESS, to.worker))


@attempt
def everybody_s_priority(to: Targets) -> None:
    """Of all processes of a user. Asked of one that nobody is, so that it changes nothing."""
    ctypes.set_errno(0)
    libc.setpriority(os.PRIO_USER, ctypes.c_uint(_NO_USER), 19)
    if (number := ctypes.get_errno()) != errno.ESRCH:  # they were looked for
        raise OSError(number, os.strerror(number))


@attempt
def sibling_priority(to: Targets) -> None:
    os.setpriority(os.PRIO_PROCESS, to.sibling, 19)


@attempt
def sibling_affinity(to: Targets) -> None:
    os.sched_setaffinity(to.sibling, os.sched_getaffinity(to.sibling))


@attempt
def worker_affinity(to: Targets) -> None:
    os.sched_setaffinity(to.worker, os.sched_getaffinity(to.worker))


@attempt
def sibling_scheduler(to: Targets) -> None:
    os.sched_setscheduler(to.sibling, os.SCHED_BATCH, os.sched_param(0))


@attempt
def sibling_scheduler_by_attributes(to: Targets) -> None:
    # struct sched_attr: size, policy SCHED_BATCH, no flags, nice 19 and nothing else
    call("sched_setattr", to.sibling, struct.pack("IIQiIQQQ", 48, 3, 0, 19, 0, 0, 0, 0), 0)


@attempt
def worker_io_priority(to: Targets) -> None:
    call("ioprio_set", _WHO_PROCESS, to.worker, _BEST_EFFORT_4)


@attempt
def clone_parent(to: Targets) -> None:
    pid = call("clone", _CLONE_PARENT | int(signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        libc._exit(0)


@attempt
def own_priority(to: Targets) -> None:
    os.nice(1)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.sched_setaffinity(os.getpid(), os.sched_getaffinity(0))
    resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))


@attempt
def own_real_time_priority(to: Targets) -> None:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@attempt
def own_child_signal(to: Targets) -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@attempt
def own_child_limits(to: Targets) -> None:
    """Of a process that the job has started, by its number: refused as well, as the filter knows one number only."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE, resource.prlimit(pid, resource.RLIMIT_CORE))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@attempt
def own_child_trace(to: Targets) -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        call("ptrace", _SEIZE, pid, 0, 0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@attempt
def signal_by_owner(to: Targets) -> None:
    """Have the kernel send one to a sibling, as the owner of a descriptor; asking is allowed, nothing may come.

    What the sibling answers afterwards, it answers after each signal that it has had: it is not waited for by time.
    """
    near, far = socket.socketpair()
    fcntl.fcntl(near, fcntl.F_SETOWN, to.sibling)
    fcntl.fcntl(near, _SET_SIGNAL, int(signal.SIGUSR2))
    fcntl.fcntl(near, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    before = Path(to.exchange, "signals").stat().st_size
    far.send(b"x")
    asked, answered = Path(to.exchange, "asked"), Path(to.exchange, "answered")
    asked.touch()
    end = time.monotonic() + _ANSWER_SECONDS
    while not answered.exists():
        if time.monotonic() > end:
            raise TimeoutError("the sibling does not answer")
        time.sleep(0.01)
    if Path(to.exchange, "signals").stat().st_size == before:
        raise OSError(errno.EPERM, "no signal came")
