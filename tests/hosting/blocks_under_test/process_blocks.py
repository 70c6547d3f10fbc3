"""Blocks that look at their own process, as an author might write them."""

import asyncio
import gc
import os
import pty
import resource
import subprocess
import sys
import tempfile
from typing import Any

import multiprocess
import psutil

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    JobMeta,
    Registration,
    WorkflowContext,
    register_function_block,
)


class Params(FunctionBlockParams):
    """Whatever a block below needs."""

    marker: str = ""
    text: str = ""
    mb: float = 0
    method: str = "fork"


class Data(FunctionBlockResultData):
    """Whatever a block below tells."""

    value: Any = None


def block(name: str) -> Registration:
    """Return the registration `under_test/<name>:1.0.0`."""
    return Registration(
        package="under_test",
        name=name,
        description=name,
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Data,
    )


def done(value: Any = None, message: str = "done") -> FunctionBlockResult[Data]:
    """Return a success with `value`."""
    return FunctionBlockResult(success=True, message=message, data=Data(value=value))


class Base(FunctionBlock[Params, Data]):
    """A block of this file."""


@register_function_block(block("daemon_with_descriptors"))
class DaemonWithDescriptors(Base):
    """Starts a daemon that inherits every descriptor it can, and dies without a result."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        code = "import time; time.sleep(600)"
        command = [sys.executable, "-I", "-S", "-c", code, params.marker]
        subprocess.Popen(command, close_fds=False, start_new_session=True)
        os._exit(7)


@register_function_block(block("inherited_descriptors"))
class InheritedDescriptors(Base):
    """Tells which descriptors a program that it starts gets."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return the numbers."""
        listing = subprocess.run(
            ["ls", "/proc/self/fd"], close_fds=False, capture_output=True, text=True, check=True
        )
        return done(sorted(int(number) for number in listing.stdout.split()))


@register_function_block(block("uses_multiprocess"))
class UsesMultiprocess(Base):
    """Starts a process of its own with `multiprocess`."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return its exit code."""
        process = multiprocess.get_context(params.method).Process(target=os._exit, args=(5,))
        process.start()
        process.join(20)
        return done(process.exitcode)


@register_function_block(block("identity"))
class Identity(Base):
    """Tells what a block sees of the process it runs in."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return argv, main module, parent and initial environment."""
        main = sys.modules["__main__"]
        with open("/proc/self/environ", "rb") as file:
            initial = dict(line.split("=", 1) for line in file.read().decode().split("\0") if line)
        return done(
            {
                "argv": sys.argv,
                "main_file": getattr(main, "__file__", None),
                "main_names": sorted(name for name in vars(main) if not name.startswith("__")),
                "daemon": multiprocess.current_process().daemon,
                "environ": initial,
                "environment": dict(os.environ),
                "modules": sorted(name for name in sys.modules if name.split(".")[0] == "supervisor"),
                "signals": {name: str(handler) for name, handler in _handlers().items()},
            }
        )


def _handlers() -> dict[str, Any]:
    import signal

    return {name: signal.getsignal(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP")}


@register_function_block(block("joins_groups"))
class JoinsGroups(Base):
    """Tries to leave its group for that of who leads its session, and for one that its own process leads."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Tell the errors, and whether its own process has moved."""
        sleeper = subprocess.Popen(["sleep", "60"], process_group=0)
        joiner = subprocess.Popen(["sleep", "60"], process_group=sleeper.pid)
        refused = []
        for join in (
            lambda: os.setpgid(os.getsid(0), os.getsid(0)),
            lambda: os.setpgid(0, os.getsid(0)),
            lambda: subprocess.run("true", process_group=os.getsid(0)),
        ):
            try:
                join()
            except OSError as error:
                refused.append(error.errno)
        moved = os.getpgid(joiner.pid) == sleeper.pid
        for process in (sleeper, joiner):
            process.kill()
            process.wait()
        return done({"refused": refused, "moved": moved})


@register_function_block(block("opens_terminal"))
class OpensTerminal(Base):
    """Opens a terminal by its name, as any library does that knows nothing of O_NOCTTY, and closes its other end."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Tell whether it controls this process, and whether it can control one with a session of its own."""
        near, far = pty.openpty()
        again = os.open(os.ttyname(far), os.O_RDWR)
        controlling = _has_terminal()
        own_session = subprocess.run(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                f"import os; os.open({os.ttyname(far)!r}, 2); open('/dev/tty')",
            ],
            start_new_session=True,
            check=False,
        )
        for descriptor in (again, far, near):
            os.close(descriptor)
        await asyncio.sleep(0.05)
        return done({"controlling": controlling, "in_a_session": own_session.returncode == 0})


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


@register_function_block(block("own_memory"))
class OwnMemory(Base):
    """Measures the private memory of its process, before and after a full garbage collection."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return both, in MiB."""
        process = psutil.Process()
        before = process.memory_full_info().uss
        gc.collect()
        return done([before / 2**20, process.memory_full_info().uss / 2**20])


@register_function_block(block("stray_text"))
class StrayText(Base):
    """Logs, prints and returns half a surrogate pair, as the name of a file on an old disk may hold."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success."""
        name = os.fsdecode(b"caf\xe9")
        self.logger.info("logged %s", name)
        print(f"printed {name}")
        return done(name, message=f"returned {name}")


@register_function_block(block("writes_to_channel"))
class WritesToChannel(Base):
    """Writes to the worker's own descriptor."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success, behind bytes that are no frame."""
        os.write(3, bytes.fromhex(params.text))
        return done()


@register_function_block(block("says"))
class Says(Base):
    """Returns its text and as many characters as asked for."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success."""
        return done(params.text + "x" * int(params.mb * 2**20), message="m" * int(params.mb * 2**20))


@register_function_block(block("prints_and_dies"))
class PrintsAndDies(Base):
    """Prints its text without a line end, and dies of a signal."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        sys.stderr.write(params.text)
        sys.stderr.flush()
        os.abort()


@register_function_block(block("temporary_file"))
class TemporaryFile(Base):
    """Makes a temporary file and leaves it."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return where it is."""
        descriptor, path = tempfile.mkstemp()
        os.close(descriptor)
        return done({"file": path, "home": os.path.expanduser("~"), "directory": os.getcwd()})


@register_function_block(block("deadline"))
class Deadline(Base):
    """Looks at its job."""

    async def run(self, params: Params, context: WorkflowContext, meta: JobMeta) -> FunctionBlockResult[Data]:
        """Return the remaining seconds and the directory."""
        return done({"remaining": meta.remaining_seconds(), "directory": str(meta.job_directory)})


@register_function_block(block("containment"))
class Containment(Base):
    """Looks at the limits of its process."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return them."""
        with open("/proc/self/oom_score_adj") as file:
            score = file.read().strip()
        with open("/proc/self/status") as file:
            status = dict(line.split(":", 1) for line in file)
        return done(
            {
                "core": list(resource.getrlimit(resource.RLIMIT_CORE)),
                "oom_score_adj": score,
                "no_new_privileges": status["NoNewPrivs"].strip(),
            }
        )


@register_function_block(block("fork_logs"))
class ForkLogs(Base):
    """Forks; both processes log at the same time."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return success after both are done."""
        fork = os.fork()
        for _ in range(50):
            self.logger.info("from the child" if fork else "from the fork")
        if not fork:
            os._exit(0)
        os.waitpid(fork, 0)
        return done()
