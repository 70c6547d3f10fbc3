"""No capacity, no claims: a worker that can start no job asks for none, and is not ready."""

import asyncio
import contextlib
import os
import platform
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.faults.programs import Worker
from tests.programs.redteam.attack import attack, cannot, check, wait_until
from tests.programs.redteam.scene import Scene, events_of
from tests.programs.redteam.told_worker import FILTERED_ON

_TOLD_WORKER: Final = "tests.programs.redteam.told_worker"
_ORDINARY: Final = "neops_redteam/ordinary:1.0.0"
_ORDINARY_FILE: Final = Path(__file__).parents[1] / "redteam_blocks" / "ordinary.py"
_HOOK: Final = """
import os, time

def hang():
    if os.path.exists(SWITCH):
        time.sleep(3600)

os.register_at_fork(before=hang)
"""


class Systemd:
    """What a service manager has heard of the worker."""

    def __init__(self, listener: socket.socket, address: str) -> None:
        self.address = address
        self._listener = listener
        self._heard: list[str] = []

    def heard(self) -> list[str]:
        """Return every assignment so far, in order."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._heard += self._listener.recv(65536).decode().splitlines()
        return self._heard

    @property
    def is_ready(self) -> bool:
        """Whether the worker has said READY."""
        return "READY=1" in self.heard()

    @property
    def status(self) -> str:
        """What `systemctl status` would show."""
        said = [line.removeprefix("STATUS=") for line in self.heard() if line.startswith("STATUS=")]
        return said[-1] if said else ""


@contextmanager
def systemd(directory: Path) -> Iterator[Systemd]:
    """Listen as a service manager does."""
    address = str(directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(address)
        yield Systemd(listener, address)


def events(worker: Worker, name: str) -> int:
    """Count how often the worker has said this."""
    return sum(event.get("event") == name for event in events_of(worker))


def template_of(worker: Worker) -> int:
    """Return the pid of the worker's template: the oldest, as a child that was forked just now still has its name."""
    begun = {}
    for pid, name in worker.below_supervisor.items():
        if name == "neops-template":
            with contextlib.suppress(OSError):  # such a child may have ended meanwhile
                begun[pid] = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return min(begun, key=begun.__getitem__)


async def claimed(scene: Scene, jobs: list[str]) -> int:
    """Count the jobs that a worker has taken."""
    return sum([(await scene.job(job))["status"] != "pending" for job in jobs])


@attack(
    "B3", "no child can be started (a filter of system calls, as ~@resources): READY, and jobs that never run"
)
async def no_child(scene: Scene) -> str:
    if platform.machine() != FILTERED_ON:
        cannot(f"the filter is written for {FILTERED_ON}")
    with systemd(scene.directory) as manager:
        program = (_TOLD_WORKER, "--filtered", manager.address)
        async with scene.worker(program=program, ready=False) as worker:
            await wait_until(
                lambda: events(worker, "polling_paused"), "that it says why it asks for no jobs", 30
            )
            scene.attack_begun = time.monotonic()
            jobs = [await scene.submit(_ORDINARY, {"text": str(number)}) for number in range(4)]
            await asyncio.sleep(3)  # thirty polls would have been due
            check(not manager.is_ready, "READY was said although no job can run")
            taken = await claimed(scene, jobs)
            check(taken == 0, f"{taken} of 4 jobs were claimed although none can run")
            check("Operation not permitted" in manager.status, f"STATUS does not say why: {manager.status}")
            said = events(worker, "polling_paused")
            check(said == 1, f"it said so {said} times")
            return f"0 of 4 jobs claimed in 3 s, READY never said, said once in the log; STATUS: {manager.status}"


@attack(
    "R13", "the template is stopped (SIGSTOP), and all that holds sessions: each claimed job fails after 30 s"
)
async def stopped_template(scene: Scene) -> str:
    async with scene.worker(max_concurrent_jobs=4) as worker:
        os.kill(stopped := template_of(worker), signal.SIGSTOP)
        for pid, name in worker.below_supervisor.items():
            if name == "neops-session":
                with contextlib.suppress(ProcessLookupError):  # one that nobody uses is ended
                    os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        jobs = [await scene.submit(_ORDINARY, {"text": str(number)}) for number in range(12)]
        results = await asyncio.gather(*map(scene.result_of, jobs))
        seconds = time.monotonic() - begun
        failed = [result["message"] for result in results if not result["success"]]
        check(not failed, f"{len(failed)} of 12 jobs failed: {failed[:1]}")
        check(events(worker, "template_replaced") == 1, "the template was not replaced once")
        check(template_of(worker) != stopped, "the stopped template is still there")
        return (
            f"12 jobs, for 5 spares, succeeded within {seconds:.1f} s of the stop; the template was replaced"
        )


@attack(
    "R13-hang", "the template hangs in a fork: jobs that wait, and what is claimed meanwhile", short=False
)
async def hanging_template(scene: Scene) -> str:
    blocks = scene.directory / "hooked"
    blocks.mkdir()
    switch = scene.directory / "hang"
    hook = _HOOK.replace("SWITCH", repr(str(switch)))
    (blocks / "hooked.py").write_text(_ORDINARY_FILE.read_text() + hook)
    shutil.copy(_ORDINARY_FILE.with_name("attacking.py"), blocks)
    async with scene.worker(function_blocks=blocks, max_concurrent_jobs=4) as worker:
        switch.touch()
        begun = time.monotonic()
        jobs = [await scene.submit(_ORDINARY, {"text": str(number)}) for number in range(12)]
        await wait_until(lambda: events(worker, "polling_paused"), "that it asks for no more jobs", 15)
        paused = time.monotonic() - begun
        later = [await scene.submit(_ORDINARY, {"text": "later"}) for _ in range(4)]
        await wait_until(lambda: events(worker, "template_replaced"), "that the template is replaced", 40)
        replaced = time.monotonic() - begun
        check(await claimed(scene, later) == 0, "jobs were claimed that could not run")
        switch.unlink()
        results = await asyncio.gather(*(scene.result_of(job) for job in jobs + later))
        back = [result for result in results if not result["success"]]
        told = [result["message"] for result in back]
        check(all("No child could be started" in each for each in told), f"a job failed otherwise: {told}")
        check(len(back) <= 4, f"{len(back)} jobs failed, for 4 slots")
        return (
            f"polls ended after {paused:.1f} s, the template was replaced after {replaced:.1f} s; "
            f"{len(back)} claimed jobs were given back, {len(results) - len(back)} succeeded"
        )


@attack("B3-crash-loop", "spares die as soon as they are ready: a storm of forks, and jobs for nobody")
async def crash_loop(scene: Scene) -> str:
    async with scene.worker(max_concurrent_jobs=2) as worker:
        killed: set[int] = set()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for pid, name in worker.below_supervisor.items():
                if name == "neops-spare" and pid not in killed:
                    killed.add(pid)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.002)
        check(killed, "no spare was met: this shows nothing")
        check(len(killed) < 60, f"{len(killed)} spares were started in 4 s, without a pause")
        begun = time.monotonic()
        result = await scene.result_of(await scene.submit(_ORDINARY, {"text": "after"}))
        check(result["success"], f"the job after it failed: {result['message']}")
        return f"{len(killed)} spares in 4 s; a job ran {time.monotonic() - begun:.1f} s after the last kill"


@attack(
    "B7", "STATUS is stale: ready when the engine is gone, without slots and uuid after a reload", pings=False
)
async def stale_status(scene: Scene) -> str:
    with systemd(scene.directory) as manager:
        async with scene.worker(program=(_TOLD_WORKER, manager.address)) as worker:
            await wait_until(lambda: manager.is_ready, "READY")
            offered = manager.status
            check("slot(s), worker " in offered, f"slots and uuid are missing: {offered}")
            os.kill(worker.pid, signal.SIGHUP)
            await wait_until(lambda: manager.heard().count("READY=1") == 2, "the end of the reload")
            check(manager.status == offered, f"after a reload STATUS is: {manager.status}")
            begun = time.monotonic()
            await scene.engine.kill()
            await wait_until(lambda: "the engine can't be asked" in manager.status, "that STATUS tells of it")
            gone = time.monotonic() - begun
            await scene.engine.open()
            begun = time.monotonic()
            await wait_until(lambda: manager.status == offered, "that STATUS is ready again")
            back = time.monotonic() - begun
            return f"engine gone: told after {gone:.1f} s; back: after {back:.1f} s; slots and uuid kept: {offered}"
