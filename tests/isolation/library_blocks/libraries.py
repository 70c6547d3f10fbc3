"""What blocks use, each as one job: it works under the isolation, or is refused and listed as such."""

import asyncio
import concurrent.futures
import contextlib
import ctypes
import fcntl
import importlib
import multiprocessing
import os
import pty
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import shared_memory
from pathlib import Path

import psutil
from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)

from . import devices

USES: dict[str, Callable[[str], object]] = {}


def use(function: Callable[[str], object]) -> Callable[[str], object]:
    """Register what is used, by its name. It is given a directory that was there when the worker started."""
    USES[function.__name__] = function
    return function


class LibraryParams(FunctionBlockParams):
    """What is used."""

    name: str = Field(description="Its name")
    place: str = Field(description="A directory that was there when the worker started")


@register_function_block(
    Registration(
        package="neops_isolation",
        name="library",
        description="Uses a library",
        run_on="global",
        fb_type="execute",
        param_cls=LibraryParams,
        result_cls=FunctionBlockResultData,
        is_pure=False,
        is_idempotent=True,
    )
)
class Library(FunctionBlock[LibraryParams, FunctionBlockResultData]):
    """Uses a library."""

    async def run(
        self, params: LibraryParams, context: WorkflowContext
    ) -> FunctionBlockResult[FunctionBlockResultData]:
        if params.name in devices.USES:
            await devices.USES[params.name]()
        else:
            USES[params.name](params.place)
        return FunctionBlockResult(success=True, message="Done", data=FunctionBlockResultData())


def _ran(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@use
def no_descriptor_of_the_rules(place: str) -> None:
    """Whoever has one could add a rule, though only for processes that restrict themselves by it."""
    numbers = os.listdir("/proc/self/fd")
    links = [
        os.readlink(f"/proc/self/fd/{number}")
        for number in numbers
        if os.path.lexists(f"/proc/self/fd/{number}")
    ]
    assert not [link for link in links if "landlock" in link], links


@use
def subprocess_of_every_kind(place: str) -> None:
    assert _ran("sh", "-c", "echo $(cat /etc/passwd | wc -l)").strip()
    assert subprocess.run(["false"], check=False, start_new_session=True, process_group=None).returncode == 1
    assert subprocess.check_output("echo x > f && cat f && rm f", shell=True, umask=0o77) == b"x\n"


@use
def asyncio_subprocess(place: str) -> None:
    async def run() -> int:
        process = await asyncio.create_subprocess_exec("sh", "-c", "exit 3")
        return await process.wait()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, run()).result() == 3


def _double(number: int) -> int:
    return 2 * number


@use
def multiprocessing_process(place: str) -> None:
    for method in ("fork", "spawn", "forkserver"):
        process = multiprocessing.get_context(method).Process(target=time.sleep, args=(0,))
        process.start()
        process.join()
        assert process.exitcode == 0


@use
def multiprocessing_pool(place: str) -> None:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_double, [1, 2, 3]) == [2, 4, 6]
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        assert list(pool.map(_double, [1, 2])) == [2, 4]


@use
def multiprocessing_shared_memory(place: str) -> None:
    shared = shared_memory.SharedMemory(create=True, size=100)
    try:
        other = shared_memory.SharedMemory(shared.name)
        other.buf[0] = 7
        assert shared.buf[0] == 7
        other.close()
    finally:
        shared.close()
        shared.unlink()


@use
def multiprocessing_semaphores(place: str) -> None:
    context = multiprocessing.get_context("fork")
    with context.Semaphore(1), context.Lock():
        queue = context.Queue()
        queue.put("x")
        assert queue.get(timeout=30) == "x"
    with context.Manager() as manager:  # over a socket
        assert list(manager.list([1])) == [1]


@use
def threads(place: str) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(_double, range(100))) == 9900
    thread = threading.Thread(target=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    thread.start()
    thread.join()


@use
def psutil_of_itself(place: str) -> None:
    own = psutil.Process()
    own.nice(own.nice() + 1)
    own.cpu_affinity(own.cpu_affinity())
    own.rlimit(psutil.RLIMIT_NOFILE, own.rlimit(psutil.RLIMIT_NOFILE))
    own.ionice(psutil.IOPRIO_CLASS_BE, 7)
    assert own.memory_full_info().uss > 0
    assert own.open_files() is not None
    assert own.net_connections() is not None


@use
def psutil_of_others(place: str) -> None:
    found = [
        each.info for each in psutil.process_iter(["pid", "name", "cmdline", "status", "memory_info", "nice"])
    ]
    assert len(found) > 2
    assert psutil.virtual_memory().total > 0
    assert psutil.net_io_counters().bytes_recv >= 0
    assert psutil.Process(os.getppid()).cpu_affinity()  # asking is allowed


def _child() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


@use
def psutil_ends_a_child(place: str) -> None:
    child = psutil.Process(_child().pid)
    child.suspend()
    child.resume()
    child.terminate()
    assert child.wait(30) is not None


@use
def psutil_priority_of_a_child(place: str) -> None:
    child = _child()
    try:
        psutil.Process(child.pid).nice(19)
    finally:
        child.kill()
        child.wait()


@use
def psutil_limits_of_a_child(place: str) -> None:
    child = _child()
    try:
        psutil.Process(child.pid).rlimit(psutil.RLIMIT_CORE, (0, 0))
    finally:
        child.kill()
        child.wait()


@use
def ping(place: str) -> None:
    assert "1 received" in _ran("ping", "-c", "1", "-W", "20", "127.0.0.1")


@use
def taskset_and_nice(place: str) -> None:
    """For a program that they start."""
    one = str(min(os.sched_getaffinity(0)))
    assert _ran("taskset", "-c", one, "nice", "-n", "3", "timeout", "30", "echo", "x") == "x\n"
    assert _ran("sh", "-c", "ulimit -n 100; ulimit -n").strip() == "100"
    assert _ran("prlimit", "--nofile=90:90", "sh", "-c", "ulimit -n").strip() == "90"


@use
def taskset_of_a_running_program(place: str) -> None:
    child = _child()
    try:
        one = str(min(os.sched_getaffinity(0)))
        done = subprocess.run(
            ["taskset", "-cp", one, str(child.pid)], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise PermissionError(1, done.stderr)
    finally:
        child.kill()
        child.wait()


@use
def sqlite_in_the_job_s_directory(place: str) -> None:
    with contextlib.closing(sqlite3.connect("data.sqlite3")) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table t (x)")
        database.execute("insert into t values (1)")
        database.commit()
        database.execute("vacuum")
        assert database.execute("select x from t").fetchall() == [(1,)]


@use
def temporary_files(place: str) -> None:
    with tempfile.TemporaryDirectory() as directory, tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(b"x")
        file.truncate(0)
        (Path(directory) / "d").mkdir()
        (Path(directory) / "l").symlink_to(file.name)
        os.link(file.name, Path(directory) / "h")
        os.mkfifo(Path(directory) / "p")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(directory, "s"))
        fcntl.flock(file, fcntl.LOCK_EX)
    # Not where the closed state directory, which lies beside the jobs' directories, is below: nothing can be made in
    # what it lies in.
    for there in {"/var/tmp", "/dev/shm"} - {str(each) for each in Path.cwd().parents}:
        with tempfile.NamedTemporaryFile(dir=there):
            pass


@use
def a_backup_in_a_directory_that_exists(place: str) -> None:
    backups = Path(place, "r1", "2026")
    backups.mkdir(parents=True)
    (backups / "new").write_text("hostname r1")
    (backups / "new").replace(backups / "running-config")
    shutil.copy2(backups / "running-config", Path(place, "r1", "copy"))
    shutil.move("moved", place) if Path("moved").exists() else Path("moved").touch()
    os.rename("moved", Path(place, "moved"))  # from the job's own directory to another one
    shutil.rmtree(Path(place, "r1"))


@use
def a_terminal(place: str) -> None:
    assert (
        os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", "tty && stty size"], lambda fd: os.read(fd, 1000)))
        == 0
    )


@use
def modules_of_its_own(place: str) -> None:
    Path("of_a_job.py").write_text("x = 1\n")
    sys.path.insert(0, os.getcwd())
    assert importlib.import_module("of_a_job").x == 1
    assert Path("__pycache__").exists() or sys.dont_write_bytecode


@use
def names_and_addresses(place: str) -> None:
    assert socket.getaddrinfo("localhost", 22)
    assert os.path.expanduser("~") == os.getcwd()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


@use
def keys_of_openssh(place: str) -> None:
    _ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key")
    assert Path("key.pub").read_text().startswith("ssh-ed25519")


@use
def a_debugger(place: str) -> None:
    """Attaches to a process that the job has started, as gdb, strace and py-spy do."""
    child = _child()
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.ptrace(0x4206, child.pid, None, None):
            raise PermissionError(ctypes.get_errno(), "ptrace")
    finally:
        child.kill()
        child.wait()


@use
def keys_of_the_kernel(place: str) -> None:
    """As Kerberos does where its tickets are in `KEYRING:`."""
    number = {"x86_64": 248, "aarch64": 217}[os.uname().machine]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, b"user", b"neops-isolation", b"x", 1, -2) < 0:
        raise PermissionError(ctypes.get_errno(), "add_key")


@use
def a_package_of_the_interpreter(place: str) -> None:
    """As `pip install` does."""
    path = Path(os.path.dirname(psutil.__file__), f"neops-{os.getpid()}")
    path.touch()
    path.unlink()
