"""A job that tries to make processes which are the worker's children and not its own."""

import ctypes
import errno
import os
import platform
import signal
import struct
import subprocess
import threading

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

_CLONE_PARENT, _CLONE_FILES = 0x8000, 0x400
_CLONE_NUMBER = {"x86_64": 56, "aarch64": 220}[platform.machine()]
_CLONE3_NUMBER = 435
_libc = ctypes.CDLL(None, use_errno=True)


class EvadingParams(FunctionBlockParams):
    """How often it tries."""

    times: int = Field(default=150, description="How many processes it tries to make in each way")


class EvadingResult(FunctionBlockResultData):
    """How many processes it got, by the way; what the refusals were; and whether it could work as programs do."""

    got: dict[str, int]
    refusals: list[str]
    ordinary: int


@register_function_block(
    attacking("evading", "Makes processes that are the worker's", EvadingParams, EvadingResult)
)
class Evading(FunctionBlock[EvadingParams, EvadingResult]):
    """Makes processes that are the worker's."""

    async def run(
        self, params: EvadingParams, context: WorkflowContext
    ) -> FunctionBlockResult[EvadingResult]:
        ways = {
            "clone": _clone,
            "clone with another flag": lambda: _clone(_CLONE_FILES),
            "clone with an upper half": lambda: _clone(1 << 32),
            "clone3": _clone3,
        }
        got, refusals = dict.fromkeys(ways, 0), set()
        for name, way in ways.items():
            for _ in range(params.times):
                try:
                    way()
                except OSError as error:
                    refusals.add(errno.errorcode[error.errno or 0])
                else:
                    got[name] += 1
        data = EvadingResult(got=got, refusals=sorted(refusals), ordinary=_work_as_programs_do())
        return FunctionBlockResult(success=True, message="Done", data=data)


def _clone(flags: int = 0) -> None:
    _made(_libc.syscall(_CLONE_NUMBER, ctypes.c_long(flags | _CLONE_PARENT | signal.SIGCHLD), 0, 0, 0, 0))


def _clone3() -> None:
    # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
    given = struct.pack("8Q", _CLONE_PARENT, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    _made(_libc.syscall(_CLONE3_NUMBER, given, len(given)))


def _made(pid: int) -> None:
    if pid == 0:
        signal.pause()
        os._exit(0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _work_as_programs_do() -> int:
    """Threads, forks and programs, which libraries start by clone3 first: how many came off."""
    done = [subprocess.run(["true"], check=False).returncode == 0]
    done.append(subprocess.run("true", shell=True, check=False, start_new_session=True).returncode == 0)
    thread = threading.Thread(target=lambda: done.append(True))
    thread.start()
    thread.join()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    done.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0)
    pid = os.posix_spawn("/bin/true", ["true"], os.environ)
    done.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0)
    return sum(done)
