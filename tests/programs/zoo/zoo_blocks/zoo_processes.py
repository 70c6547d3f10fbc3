"""Blocks that start processes without end, or turn against those that are not theirs."""

import asyncio
import contextlib
import ctypes
import os
import pty
import signal
import subprocess
import sys
import threading
import time

from tests.programs.zoo.hostile import Params, Zoo, hostile

_PTRACE_ATTACH = 16
_BOMB_PROCESSES = 120
_BOMB_THREADS = 300


def _fork() -> int:
    """Fork without the warning of newer Pythons: hostile code does not listen to it."""
    return ctypes.CDLL(None).fork()


async def _for_ever() -> None:
    await asyncio.Event().wait()


@hostile
async def kill_group(block: Zoo, params: Params) -> None:
    """Sends SIGKILL to its process group, itself included."""
    os.killpg(0, signal.SIGKILL)
    await _for_ever()


@hostile
async def kill_everyone(block: Zoo, params: Params) -> None:
    """Sends SIGKILL to every process that it may signal (pid -1)."""
    os.kill(-1, signal.SIGKILL)


@hostile
async def kill_ancestors(block: Zoo, params: Params) -> list[str]:
    """Sends SIGKILL to its parent, the parent's group, and so on up to init."""
    pid, refused = os.getppid(), []
    while pid > 1:
        for send, target in ((os.kill, pid), (os.killpg, os.getpgid(pid))):
            try:
                send(target, signal.SIGKILL)
            except PermissionError:
                refused.append("refused")
        with open(f"/proc/{pid}/stat") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])
    return sorted(set(refused))


@hostile
async def stop_parent(block: Zoo, params: Params) -> None:
    """Sends SIGSTOP to the worker."""
    os.kill(os.getppid(), signal.SIGSTOP)


@hostile
async def trace_parent(block: Zoo, params: Params) -> int:
    """Tries to attach to the worker as a debugger."""
    libc = ctypes.CDLL(None, use_errno=True)
    attached = libc.ptrace(_PTRACE_ATTACH, os.getppid(), None, None)
    if attached == 0:
        raise AssertionError("attached to the worker")
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@hostile
async def write_parent_memory(block: Zoo, params: Params) -> None:
    """Opens the memory of the worker for writing."""
    with open(f"/proc/{os.getppid()}/mem", "r+b"):
        raise AssertionError("opened the worker's memory")


@hostile
async def fork_and_setsid(block: Zoo, params: Params) -> None:
    """Forks into a session of its own, and returns."""
    if _fork() == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)


@hostile
async def daemon_on_stdout(block: Zoo, params: Params) -> None:
    """Leaves a double-forked daemon that holds and fills the output, and returns."""
    code = "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)\n"
    code += "while True: print('still here', flush=True); time.sleep(0.01)"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-I", "-S", "-c", code], check=True)


@hostile
async def respawning_daemon(block: Zoo, params: Params) -> None:
    """Leaves two processes that fork anew all the time, each into a session of its own, and returns."""
    for _ in range(2):
        if _fork() == 0:
            while True:
                os.setsid() if os.getsid(0) != os.getpid() else None
                if _fork() != 0:
                    os._exit(0)
                time.sleep(0.001)


def _bomb(count: int, *, new_sessions: bool) -> None:
    for _ in range(count):
        pid = _fork()
        if pid == 0:
            if new_sessions:
                os.setsid()
            while True:
                time.sleep(600)
        if pid < 0:
            break


@hostile
async def fork_bomb(block: Zoo, params: Params) -> None:
    """Forks some hundred processes as fast as it can, and hangs."""
    _bomb(_BOMB_PROCESSES, new_sessions=False)
    time.sleep(600)


@hostile
async def fork_bomb_setsid(block: Zoo, params: Params) -> None:
    """Forks some hundred processes, each in a session of its own, and hangs."""
    _bomb(_BOMB_PROCESSES, new_sessions=True)
    time.sleep(600)


@hostile
async def thread_bomb(block: Zoo, params: Params) -> None:
    """Starts some hundred threads that do not end, and hangs."""
    for _ in range(_BOMB_THREADS):
        threading.Thread(target=time.sleep, args=(600,), daemon=False).start()
    time.sleep(600)


@hostile
async def memory_in_descendant(block: Zoo, params: Params) -> None:
    """Has a descendant in a session of its own take the memory, and hangs."""
    code = "import time\nkept = [bytearray(1 << 20) for _ in range(300)]\ntime.sleep(600)"
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True)
    await _for_ever()


@hostile
async def lower_oom_score(block: Zoo, params: Params) -> None:
    """Tries to be the last that the kernel kills when memory runs out, then takes memory."""
    with contextlib.suppress(PermissionError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")
    kept = []
    while True:
        kept.append(bytearray(4 << 20))
        await asyncio.sleep(0.005)


@hostile
async def terminal_that_ends(block: Zoo, params: Params) -> bool:
    """Opens a terminal by its name, without O_NOCTTY, and closes its other end."""
    near, far = pty.openpty()
    again = os.open(os.ttyname(far), os.O_RDWR)
    os.close(near)
    await asyncio.sleep(0.1)
    return bool(again)


@hostile
async def clean_environment_daemon(block: Zoo, params: Params) -> None:
    """Leaves a daemon without environment, name or descriptors of its job, and returns."""
    code = "import os, time; os.setsid(); os.chdir('/'); os.closerange(0, 64); time.sleep(600)"
    subprocess.Popen([sys.executable, "-I", "-S", "-c", code], env={}, close_fds=True)
    await asyncio.sleep(0.2)
