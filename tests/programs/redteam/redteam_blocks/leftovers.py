"""Jobs that leave processes behind which are hard to find, to kill, or to tell from another job's."""

import asyncio
import ctypes
import os
import platform
import pty
import signal
import threading
import time
from pathlib import Path

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import attacking

_CLONE_PARENT = 0x8000
_SEIZE = 0x4206
_LOOK_SECONDS = 0.02
_NUMBERS = {"x86_64": {"clone": 56, "exit": 60}, "aarch64": {"clone": 220, "exit": 93}}[platform.machine()]
_libc = ctypes.CDLL(None, use_errno=True)


class LeftoverParams(FunctionBlockParams):
    """Which attack, and where it tells the number of its process."""

    attack: str = Field(description="Its name")
    place: str = Field(default="", description="A directory: `pid` is written to it, `go` waited for in it")


@register_function_block(attacking("leaves", "Leaves a process behind", LeftoverParams))
class Leaves(FunctionBlock[LeftoverParams, FunctionBlockResultData]):
    """Leaves a process behind."""

    async def run(
        self, params: LeftoverParams, context: WorkflowContext
    ) -> FunctionBlockResult[FunctionBlockResultData]:
        place = Path(params.place)
        pid = getattr(self, params.attack)(place)
        if params.place:
            (place / "new").write_text(str(pid))
            (place / "new").rename(place / "pid")
            while not (place / "go").exists():
                await asyncio.sleep(_LOOK_SECONDS)
        if params.attack == "tracer":
            os._exit(7)
        return FunctionBlockResult(success=True, message="Done", data=FunctionBlockResultData())

    def daemon(self, place: Path) -> int:
        """In a session of its own."""
        return _forked(os.setsid)

    def headless(self, place: Path) -> int:
        """Its first thread ends, so that it looks like a zombie, and another one writes."""

        def write_on() -> None:
            end = time.monotonic() + 60
            with (place / "written").open("ab", buffering=0) as file:
                while time.monotonic() < end:
                    file.write(b"x")
                    time.sleep(_LOOK_SECONDS)

        def lose_the_head() -> None:
            os.setsid()
            threading.Thread(target=write_on).start()
            _libc.syscall(_NUMBERS["exit"], 0)

        return _forked(lose_the_head)

    def sibling(self, place: Path) -> int:
        """A child of the supervisor's, not of this process."""
        pid: int = _libc.syscall(_NUMBERS["clone"], _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        return pid

    def tracer(self, place: Path) -> int:
        """Traces this process, so that the kernel tells its parent nothing of its end."""
        parent = os.getpid()

        def trace() -> None:
            traces = _libc.ptrace(_SEIZE, parent, None, None) == 0
            (place / ("traces" if traces else "cannot")).touch()

        return _forked(trace)

    def terminal(self, place: Path) -> int:
        """Opens a terminal by its name, without O_NOCTTY, and closes its other end."""
        near, far = pty.openpty()
        os.open(os.ttyname(far), os.O_RDWR)
        os.close(near)
        time.sleep(0.1)
        return 0


def _forked(begin: object) -> int:
    pid = os.fork()
    if pid == 0:
        begin()  # type: ignore[operator]
        time.sleep(60)
        os._exit(0)
    return pid
