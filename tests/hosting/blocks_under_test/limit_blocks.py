"""Blocks that take too much, and one that tries what it may do to others."""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdk import FunctionBlockResult, WorkflowContext, register_function_block

from .process_blocks import Base, Data, Params, block, done

MOST_PROCESSES = 1500
MOST_SECONDS = 300.0  # longer than any test waits: what ends sooner was ended
COMETS_SECONDS = 10.0


def explode(*, sessions: bool, begun: int | None = None) -> None:
    """Fork and have every fork do the same. Ends by itself: after so many forks, and after so many seconds.

    Each fork writes a byte to `begun` when it is there.
    """
    end = time.monotonic() + MOST_SECONDS
    tokens, fill = os.pipe()
    os.set_blocking(tokens, False)
    os.write(fill, bytes(MOST_PROCESSES))
    while time.monotonic() < end:
        try:
            if not os.read(tokens, 1):
                break
            child = os.fork()
        except BlockingIOError:
            time.sleep(0.001)  # no token or no process is left
            continue
        if child == 0 and sessions:
            os.setsid()
        if child == 0 and begun is not None:
            os.write(begun, b"x")
    time.sleep(max(0.0, end - time.monotonic()))


@register_function_block(block("bomb"))
class Bomb(Base):
    """Forks without end."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return after a while, if it is let."""
        explode(sessions=False)
        os._exit(0)


@register_function_block(block("session_bomb"))
class SessionBomb(Base):
    """Forks without end; each fork leaves the job's session and process group."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return after a while, if it is let."""
        explode(sessions=True)
        os._exit(0)


@register_function_block(block("leaves_bomb"))
class LeavesBomb(Base):
    """Leaves a bomb that has a session of its own, and returns success as it goes off."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success once there are two processes of it at least."""
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            explode(sessions=True, begun=writing)
            os._exit(0)
        os.read(reading, 1)
        return done()


@register_function_block(block("chain"))
class Chain(Base):
    """Leaves a chain of processes, each the child of the one before, in sessions of their own."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success when the chain is complete."""
        reading, writing = os.pipe()
        if os.fork() == 0:
            for _ in range(int(params.mb)):
                os.setsid()
                if os.fork():
                    time.sleep(MOST_SECONDS)
                    os._exit(0)
            os.write(writing, b"x")
            time.sleep(MOST_SECONDS)
            os._exit(0)
        os.read(reading, 1)
        return done()


@register_function_block(block("many_threads"))
class ManyThreads(Base):
    """Starts as many threads as `mb` says."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return after two seconds, if it is let."""
        for _ in range(int(params.mb)):
            threading.Thread(target=time.sleep, args=(MOST_SECONDS,), daemon=True).start()
        await asyncio.sleep(2)
        return done()


@register_function_block(block("limits"))
class Limits(Base):
    """Looks at its limits, and writes a file of `mb` MiB."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return them, and the error of the write."""
        names = ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_NPROC")
        found: dict[str, Any] = {name: resource.getrlimit(getattr(resource, name)) for name in names}
        try:
            with open("large", "wb", buffering=0) as file:
                for _ in range(int(params.mb)):
                    file.write(bytes(2**20))
        except OSError as error:
            found["error"] = error.errno
        return done(found)


@register_function_block(block("forks_until_refused"))
class ForksUntilRefused(Base):
    """Starts processes until the kernel refuses one."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return how many there were, and the error."""
        for number in range(int(params.mb)):
            try:
                if os.fork() == 0:
                    time.sleep(MOST_SECONDS)
                    os._exit(0)
            except OSError as error:
                return done({"started": number, "error": error.errno})
        return done({"started": int(params.mb), "error": 0})


def _tried(what: Callable[[], object]) -> str:
    """Do something and return what came of it: the name of the error, or what it returned."""
    try:
        return f"done: {what()!r}"[:200]
    except OSError as error:
        return type(error).__name__


@register_function_block(block("tries"))
class Tries(Base):
    """Tries to read files and directories, and to look into and signal processes. `text`: paths and pids, by commas."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return what came of each, and who this is."""
        given = params.text.split(",")
        paths = [Path(item) for item in given if item.startswith("/")]
        pids = [int(item) for item in given if item.isdecimal()]
        found = {f"read {path}": _tried(lambda path=path: _read(path)) for path in paths}
        for pid in pids:
            for name in ("environ", "mem", "maps", "cwd", "fd"):
                found[f"{name} of {pid}"] = _tried(lambda pid=pid, name=name: _look(pid, name))
            found[f"signal {pid}"] = _tried(lambda pid=pid: os.kill(pid, 0))
            found[f"trace {pid}"] = _tried(lambda pid=pid: _attach(pid))
        found["own"] = _own()
        return done(found)


def _read(path: Path) -> object:
    return os.listdir(path) if path.is_dir() else path.read_bytes()


def _look(pid: int, name: str) -> object:
    path = f"/proc/{pid}/{name}"
    if name == "cwd":
        return os.readlink(path)
    if name == "fd":
        return os.listdir(path)
    with open(path, "rb") as file:
        return len(file.read(100)) if name != "mem" else "opened"


def _attach(pid: int) -> object:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0x4206, pid, None, None) != 0:  # PTRACE_SEIZE
        raise OSError(ctypes.get_errno(), "ptrace")
    return "attached"


def _own() -> dict[str, Any]:
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return {
        "pid": os.getpid(),
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": os.getgroups(),
        "capabilities": [status[name].strip() for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")],
        "descriptors": len(os.listdir("/proc/self/fd")),
        "environ": len(Path("/proc/self/environ").read_bytes()) > 0,
        "directory": os.getcwd(),
        "home": os.environ["HOME"],
        "mode": oct(os.stat(".").st_mode & 0o7777),
        "owner": os.stat(".").st_uid,
        "program": subprocess.run(
            [sys.executable, "-I", "-S", "-c", "print(7)"], capture_output=True, text=True, check=False
        ).stdout.strip(),
    }


@register_function_block(block("waits"))
class Waits(Base):
    """Writes a file into its directory and hangs."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        Path("secret").write_text("of this job")
        ctypes.PyDLL(None).sleep(600)  # with the GIL: nothing in this process can notice anything
        return done()


@register_function_block(block("litters"))
class Litters(Base):
    """Leaves files where everyone may put them, shared memory, and a process that signals do not end."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return where."""
        made: list[str] = []
        for directory in ("/tmp", "/var/tmp", "/dev/shm"):
            with contextlib.suppress(FileNotFoundError):
                top = Path(directory) / f"neops-litter-{params.marker}"
                (top / "deep" / "er").mkdir(parents=True)
                (top / "deep" / "file").write_text("left")
                (top / "deep").chmod(0)
                single = Path(directory) / f"neops-litter-{params.marker}.txt"
                single.write_text("left")
                made += [str(top), str(single)]
        libc = ctypes.CDLL(None, use_errno=True)
        shared = libc.shmget(0, 4096, 0o1600)
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(20)"
        subprocess.Popen([sys.executable, "-I", "-S", "-c", code, params.marker], start_new_session=True)
        return done({"paths": made, "shared": shared, "user": os.getuid()})


@register_function_block(block("comets"))
class Comets(Base):
    """Leaves processes that live for a moment each: one forks the next, in a session of its own, and ends."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success."""
        end = time.monotonic() + COMETS_SECONDS
        for _ in range(3):
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                while time.monotonic() < end:
                    os.setsid() if os.getsid(0) != os.getpid() else None
                    if os.fork():
                        os._exit(0)
                os._exit(0)
        await asyncio.sleep(0.1)
        return done()
