"""Calls that reach beyond a job, made in real processes behind the filter, and what libraries and programs still do."""

import asyncio
import fcntl
import os
import platform
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import multiprocess
import psutil
import pytest
from apart import FREE, Place, asked_of_the_kernel, in_a_fork, run_apart, shared, tried

from jobrunner.group_filter import ask_before_leaving_the_group
from jobrunner.isolation.call_numbers import known_call_numbers
from jobrunner.isolation.landlock import abi_of_the_kernel
from jobrunner.keyrings import leave_session_keyring
from jobrunner.protocol import linux
from jobrunner.protocol.isolation import Isolation
from tests.patience import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(not known_call_numbers(), reason="the numbers of this machine's calls are not known"),
]

OK, REFUSED, UNKNOWN, NOT_SUPPORTED = "ok", "EPERM", "ENOSYS", "EINVAL"
FILTERED = Isolation(seccomp=True, contain_signals=False)
SIGCHLD, CLONE_PARENT = 17, 0x8000
PRIORITY_OF_A_USER = 2


def syscall(number: int, *arguments: int) -> int:
    return asked_of_the_kernel("syscall", number, *arguments)


def new_process(flags: int) -> None:
    if (pid := syscall(known_call_numbers()[0].clone, flags, 0, 0, 0, 0)) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def into_a_pipe(move: Callable[[int, int, int], int]) -> None:
    """Move what is there already: where nothing is, this would wait with the pipe locked."""
    near, far = socket.socketpair()
    read, write = os.pipe()
    with near, far:
        far.send(b"x")
        try:
            assert move(near.fileno(), write, 1) == 1
        finally:
            os.close(read)
            os.close(write)


def lease_a_file() -> None:
    with open(__file__) as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)


def attempts(other: int) -> dict[str, tuple[Callable[[], object], str]]:
    """What is tried, and how it is to go. `other` is a process of the same user."""
    numbers, limits = known_call_numbers()[0], (100, 100)
    return {
        "a process of its own": (lambda: new_process(SIGCHLD), OK),
        "a process of its parent's": (lambda: new_process(SIGCHLD | CLONE_PARENT), REFUSED),
        "clone3": (lambda: syscall(numbers.clone3, 0, 0), UNKNOWN),
        "tracing": (lambda: syscall(numbers.ptrace, 0, 0, 0, 0), REFUSED),
        "reading memory": (lambda: syscall(numbers.process_vm_readv, os.getpid(), 0, 0, 0, 0, 0), REFUSED),
        "writing memory": (lambda: syscall(numbers.process_vm_writev, os.getpid(), 0, 0, 0, 0, 0), REFUSED),
        "a key": (lambda: syscall(numbers.add_key, 0, 0, 0, 0, 0), REFUSED),
        "asking for a key": (lambda: syscall(numbers.request_key, 0, 0, 0, 0), REFUSED),
        "keyrings": (lambda: syscall(numbers.keyctl, 0, -3, 0), REFUSED),
        "its own limits": (lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, limits), OK),
        "the limits of another": (lambda: resource.prlimit(other, resource.RLIMIT_NOFILE, limits), REFUSED),
        "asking for the limits of another": (lambda: resource.prlimit(other, resource.RLIMIT_NOFILE), OK),
        "its own affinity": (lambda: os.sched_setaffinity(os.getpid(), os.sched_getaffinity(0)), OK),
        "the affinity of another": (lambda: os.sched_setaffinity(other, {0}), REFUSED),
        "its own policy": (lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)), OK),
        "the policy of another": (
            lambda: os.sched_setscheduler(other, os.SCHED_IDLE, os.sched_param(0)),
            REFUSED,
        ),
        "its own priority": (lambda: os.setpriority(os.PRIO_PROCESS, 0, 7), OK),
        "the priority of its group": (lambda: os.setpriority(os.PRIO_PGRP, 0, 7), OK),
        "the priority of another": (lambda: os.setpriority(os.PRIO_PROCESS, other, 7), REFUSED),
        "the priority of all of its user": (lambda: os.setpriority(PRIORITY_OF_A_USER, 0, 7), REFUSED),
        "the disk priority of another": (lambda: syscall(numbers.ioprio_set, 1, other, 3 << 13), REFUSED),
        "its own disk priority": (lambda: syscall(numbers.ioprio_set, 1, 0, 3 << 13), OK),
        "splicing into a pipe": (lambda: into_a_pipe(os.splice), NOT_SUPPORTED),
        "sending into a pipe": (
            lambda: into_a_pipe(lambda source, pipe, count: os.sendfile(pipe, source, None, count)),
            NOT_SUPPORTED,
        ),
        "io_uring": (lambda: syscall(numbers.io_uring_setup, 1, 0), UNKNOWN),
        "userfaultfd": (lambda: syscall(numbers.userfaultfd, 1), UNKNOWN),
        "a lease on a file": (lease_a_file, NOT_SUPPORTED),
    }


def test_a_process_and_all_that_it_starts_reach_only_themselves(tmp_path: Path) -> None:
    other = os.posix_spawn("/bin/sleep", ["sleep", "50"], {})
    tries = attempts(other)

    def work() -> list[dict[str, str]]:
        os.setpgid(0, 0)
        seen = [{name: tried(attempt) for name, (attempt, _) in tries.items()}]
        # Also when nobody else is left of the process that was filtered, and in a thread.
        thread = threading.Thread(
            target=lambda: seen.append({name: tried(tries[name][0]) for name in tries if "another" in name})
        )
        thread.start()
        thread.join()
        return [
            *seen,
            in_a_fork(lambda: {name: tried(tries[name][0]) for name in tries if "another" in name}),
        ]

    try:
        _, (seen, in_a_thread, in_a_descendant) = run_apart(lambda: shared(FILTERED), tmp_path, work)
    finally:
        os.kill(other, 9)
        os.waitpid(other, 0)
    assert seen == {name: expected for name, (_, expected) in tries.items()}
    assert (
        in_a_thread
        == in_a_descendant
        == {n: expected for n, (_, expected) in tries.items() if "another" in n}
    )


def test_the_filter_stands_beside_the_one_for_groups(tmp_path: Path) -> None:
    def work() -> list[Any]:
        listener = ask_before_leaving_the_group()
        return [listener is not None, tried(lambda: os.sched_setaffinity(os.getppid(), {0}))]

    def alone() -> bool:
        linux.forbid_new_privileges()  # as the isolation does: without it the kernel asks for CAP_SYS_ADMIN
        return ask_before_leaving_the_group() is not None

    plain = in_a_fork(alone)
    assert run_apart(lambda: shared(FILTERED), tmp_path, work)[1] == [plain, REFUSED]


def runs(*command: str) -> Callable[[], object]:
    def run() -> None:
        subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE_SECONDS)

    return run


def in_a_thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def in_a_process_of_multiprocess() -> None:
    context = multiprocess.get_context("fork")
    process = context.Process(target=int)
    process.start()
    process.join()
    assert process.exitcode == 0


def by_asyncio() -> None:
    async def run() -> None:
        process = await asyncio.create_subprocess_exec("true")
        assert await process.wait() == 0
        assert await asyncio.to_thread(len, "abc") == 3

    asyncio.run(run())


def by_psutil() -> None:
    process = psutil.Process()
    process.nice(9)
    process.cpu_affinity(process.cpu_affinity())
    process.memory_info()
    process.rlimit(psutil.RLIMIT_NOFILE)
    assert psutil.pids()


def to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def copies_a_file() -> None:
    with tempfile.TemporaryDirectory(dir=".") as directory:
        shutil.copyfile(__file__, f"{directory}/copy")
        assert Path(directory, "copy").read_bytes() == Path(__file__).read_bytes()


def sends_a_file() -> None:
    near, far = socket.socketpair()
    with near, far, tempfile.TemporaryFile(dir=".") as file:
        file.write(b"content")
        file.seek(0)
        assert near.sendfile(file, 0) == 7
        assert far.recv(10) == b"content"


WORKS: dict[str, Callable[[], object]] = {
    "a thread": in_a_thread,
    "a copied file": copies_a_file,
    "a file that is sent": sends_a_file,
    "subprocess": runs("/bin/sh", "-c", "echo x | cat"),
    "multiprocess": in_a_process_of_multiprocess,
    "asyncio": by_asyncio,
    "a connection": to_itself,
    "taskset": runs("taskset", "-c", str(min(os.sched_getaffinity(0))), "true"),
    "nice": runs("nice", "true"),
    "ionice": runs("ionice", "-c", "3", "true"),
    "chrt": runs("chrt", "--batch", "0", "true"),
    "prlimit": runs("prlimit", "--nofile=100", "true"),
    "setsid": runs("setsid", "true"),
}
FAILS: dict[str, tuple[str, ...]] = {
    "strace": ("strace", "true"),
    "another's affinity by taskset": ("taskset", "-pc", "0", "1"),
    "another's priority by renice": ("renice", "5", "1"),
}


@pytest.mark.parametrize("landlock", [False, True])
def test_threads_processes_and_programs_do_what_they_did(tmp_path: Path, landlock: bool) -> None:
    abi = max(abi_of_the_kernel(), 0) if landlock else 0
    place = Place(tmp_path)
    isolation = Isolation(landlock_abi=abi, seccomp=True, new_session_keyring=True, files=place.files)
    there = {name: work for name, work in WORKS.items() if name not in PROGRAMS or shutil.which(name)}

    def work() -> dict[str, str]:
        done = {name: in_its_own_process(work) for name, work in there.items()}
        by_psutil()
        return done | {"psutil in a process that the job starts": in_its_own_process(by_psutil)}

    done = run_apart(lambda: shared(isolation), place.own, work)[1]
    # It names itself by its number, which is not that of the job's own process. This is listed as failing.
    assert "psutil.AccessDenied" in done.pop("psutil in a process that the job starts")
    assert done == dict.fromkeys(there, OK)


PROGRAMS = {"taskset", "nice", "ionice", "chrt", "prlimit", "setsid"}


def in_its_own_process(work: Callable[[], object]) -> str:
    """`ok`, or what it raises: the next one finds nothing of it."""
    try:
        in_a_fork(lambda: work() and None)
    except AssertionError as error:
        return str(error).strip().splitlines()[-1]
    return OK


@pytest.mark.parametrize("name", FAILS)
def test_what_is_listed_as_failing_fails(tmp_path: Path, name: str) -> None:
    if shutil.which(FAILS[name][0]) is None:
        pytest.skip(f"no {FAILS[name][0]} here")

    def work() -> bool:
        return (
            subprocess.run(FAILS[name], capture_output=True, check=False, timeout=PATIENCE_SECONDS).returncode
            != 0
        )

    assert run_apart(lambda: shared(FILTERED), tmp_path, work)[1]


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="other numbers of calls")
def test_a_child_has_a_session_keyring_of_its_own_in_which_no_key_of_the_worker_s_is() -> None:
    add_key, keyctl = {"x86_64": (248, 250)}.get(platform.machine(), (217, 219))
    search, session = 10, -3

    def work() -> list[str] | None:
        if not leave_session_keyring():  # the worker's, so to say
            return None

        def look() -> int:
            return asked_of_the_kernel("syscall", keyctl, search, session, b"user", b"ticket", 0)

        asked_of_the_kernel("syscall", add_key, b"user", b"ticket", b"secret", 6, session)
        before = tried(look)
        shared(Isolation(new_session_keyring=True)).prepare(FREE)
        return [before, tried(look)]

    seen = in_a_fork(work)
    if seen is None:
        pytest.skip("the kernel keeps no keys for this process")
    assert seen == [OK, "ENOKEY"]
