"""A worker on a machine that runs out of something when the test says so, and its engine."""

import asyncio
import contextlib
import os
import re
import resource
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from sdk.devengine import DevEngine, EngineOptions, JobRecord
from tests.faults.descriptors import descriptors
from tests.faults.programs import Worker, token_file_in
from tests.patience import PATIENCE_SECONDS, until

_SETTLED_LOOKS: Final = 6
_SLOTS: Final = 2
_SPARES: Final = _SLOTS + 1
"""See `DaemonSettings.spares`."""
_LISTENER: Final = "anon_inode:seccomp notify"

BLOCK: Final = "scarce/greet:1.0.0"
_BUG: Final = re.compile(r"CRITICAL|bug in this worker|never retrieved|unexpectedly|^Traceback", re.MULTILINE)
_MODULE: Final = """
import os
from pathlib import Path
from sdk import *

from jobrunner import session_holder

template = os.getpid()

def scarce(real_fork):
    def fork():
        # The template forks who makes a session, and that one forks the child.
        call = "fork" if os.getpid() == template else "second_fork"
        fail_if_asked(call)
        return real_fork()
    return fork

def fail_if_asked(call):
    if Path(SWITCH).exists() and call in Path(SWITCH).read_text().split():
        with open(SWITCH + ".hits", "a") as hits:
            hits.write(call + "\\n")
        raise OSError(11, "Resource temporarily unavailable")

os.fork = scarce(os.fork)
session_holder.fork_from_parent = scarce(session_holder.fork_from_parent)

class Data(FunctionBlockResultData):
    text: str

@register_function_block(Registration(name="greet", package="scarce", description="d", run_on="global",
    fb_type="execute", param_cls=FunctionBlockParams, result_cls=Data))
class Greet(FunctionBlock[FunctionBlockParams, Data]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="m", data=Data(text="VERSION"))
"""


class Site:
    """Worker, engine and switch."""

    def __init__(self, engine: DevEngine, worker: Worker, switch: Path, module: Path) -> None:
        self.engine = engine
        self.worker = worker
        self._switch = switch
        self._module = module
        self._limit: tuple[int, int] | None = None
        self._said_before = 0
        self.recovery_seconds = 5.0
        """Within this time after a fault's end, jobs run again. On a slow machine, a start takes longer by itself."""
        self.write("one")

    def write(self, version: str) -> None:
        """Write the module of blocks."""
        self._module.parent.mkdir(exist_ok=True)
        self._module.write_text(
            _MODULE.replace("SWITCH", repr(str(self._switch))).replace("VERSION", version)
        )

    def run_out(self, call: str, number: int) -> None:
        """Have a call fail from now on; "descriptors" are really refused, by the kernel."""
        Path(f"{self._switch}.hits").unlink(missing_ok=True)
        self._said_before = len(self.worker.said())
        if call == "descriptors":
            self._limit = resource.prlimit(self._supervisor(), resource.RLIMIT_NOFILE)
            resource.prlimit(self._supervisor(), resource.RLIMIT_NOFILE, (3, self._limit[1]))
            return
        written = self._switch.with_suffix(".new")
        written.write_text(f"{call} {number}\n")
        written.rename(self._switch)

    def recover(self) -> None:
        """Let everything work again."""
        self._switch.unlink(missing_ok=True)
        if self._limit is not None:
            resource.prlimit(self._supervisor(), resource.RLIMIT_NOFILE, self._limit)
            self._limit = None

    def said(self) -> str:
        """Return what the worker has said since the last fault began."""
        return self.worker.said()[self._said_before :]

    def hits(self, call: str) -> int:
        """Count how often the call has failed since this fault began."""
        hits = Path(f"{self._switch}.hits")
        return Counter(hits.read_text().split())[call] if hits.exists() else 0

    def _supervisor(self) -> int:
        pid = self.worker.supervisor_pid
        assert pid is not None
        return pid

    async def kill_template_and_spares(self) -> None:
        """End them all, so that each has to be started anew, and wait until the worker has seen it."""
        killed = [pid for pid, name in self.worker.below_supervisor.items() if name.startswith("neops-")]
        for pid in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in killed), "they are waited for")

    def submit(self) -> str:
        """Submit a job and return its id."""
        return self.engine.submit(block=BLOCK, parameters={})

    async def result(self, job_id: str, seconds: float = PATIENCE_SECONDS) -> JobRecord:
        """Wait for a job's result."""
        await until(lambda: self.engine.job(job_id).status == "pushed", f"job {job_id} is reported", seconds)
        return self.engine.job(job_id)

    async def run(self, seconds: float = PATIENCE_SECONDS) -> JobRecord:
        """Run a job to its result."""
        return await self.result(self.submit(), seconds)

    async def settled_descriptors(self) -> Counter[str] | None:
        """Return what the supervisor holds open once all spares are there; `None` where it can't be seen."""
        same, now = 0, descriptors(self.worker.supervisor_pid)
        end = time.monotonic() + PATIENCE_SECONDS
        while same < _SETTLED_LOOKS:
            assert time.monotonic() < end, "the spares do not settle"
            await asyncio.sleep(0.1)
            last, now = now, descriptors(self.worker.supervisor_pid)
            same = same + 1 if now == last and self._has_all_spares(now) else 0
        return now

    def _has_all_spares(self, held: Counter[str] | None) -> bool:
        spares = Counter(self.worker.below_supervisor.values())["neops-spare"]
        # A spare hands its listener over when it is ready, which it is not yet when it has its name.
        return spares == _SPARES and (held is None or held[_LISTENER] in (0, _SPARES))

    async def holds_no_more_than(self, before: Counter[str] | None) -> None:
        """Wait until the supervisor holds open no more than it held before, all spares being there again."""
        end = time.monotonic() + PATIENCE_SECONDS
        while (more := await self._more_than(before)) and time.monotonic() < end:
            await asyncio.sleep(0.1)
        assert not more, f"left open: {more}"

    async def _more_than(self, before: Counter[str] | None) -> Counter[str]:
        now = await self.settled_descriptors()
        return Counter() if now is None or before is None else now - before

    async def stop(self) -> None:
        """Stop the worker in order, and look at what it has said."""
        self.worker.signal(signal.SIGTERM)
        assert await self.worker.ended() == 0, self.worker.said()
        assert not (found := _BUG.search(self.worker.said())), f"{found}:\n{self.worker.said()}"


@contextlib.asynccontextmanager
async def site(directory: Path, *own: str, **settings: object) -> AsyncIterator[Site]:
    """Start worker and engine, and run one job, so that the worker is as it is when it works."""
    switch, module = directory / "switch", directory / "blocks_here" / "scarce_blocks.py"
    async with DevEngine(EngineOptions(id_grammar="0.43", token_file=token_file_in(directory))) as engine:
        worker = Worker(
            directory, engine.url, directory / "state", function_blocks=module.parent, max_concurrent_jobs=_SLOTS,
            max_job_seconds=20, grace_seconds=0.2, poll_seconds=0.05, heartbeat_seconds=0.5, **settings,
        )  # fmt: skip
        made = Site(engine, worker, switch, module)
        try:
            began = time.monotonic()
            await worker.begin("tests.faults.scarce_host", "--switch", str(switch), *own, "--")
            assert (await made.run()).result_status == "success", worker.said()
            made.recovery_seconds += time.monotonic() - began
            yield made
        finally:
            await worker.kill()
