"""What jobs leave behind costs nobody else a slot or the blame, and nothing that lives is taken for dead."""

import asyncio
import contextlib
import os
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.programs import Worker
from tests.programs.redteam.attack import attack, cannot, check, wait_until
from tests.programs.redteam.scene import Scene, events_of
from tests.unkillable import frozen, held

_LEAVES = "neops_redteam/leaves:1.0.0"
_ORDINARY = "neops_redteam/ordinary:1.0.0"


class Leaving:
    """A job that leaves a process, and waits before it ends."""

    def __init__(self, scene: Scene, name: str, place: Path) -> None:
        self._scene = scene
        self._name = name
        self.place = place
        place.mkdir()

    async def begin(self) -> int:
        """Submit it, and return the number of the process that it has started."""
        self.job = await self._scene.submit(
            _LEAVES, {"attack": self._name, "place": str(self.place)}, maxAttempts=1
        )
        await wait_until((self.place / "pid").exists, "the job's start of a process")
        return int((self.place / "pid").read_text())

    async def end(self) -> dict[str, Any]:
        """Let it end, and return its result."""
        (self.place / "go").touch()
        return await self._scene.result_of(self.job)


async def _ordinary(scene: Scene) -> float:
    began = time.monotonic()
    result = await scene.result_of(await scene.submit(_ORDINARY, {"text": "x"}))
    check(result["success"], f"another job failed: {result}")
    return time.monotonic() - began


@contextlib.contextmanager
def _stuck(pid: int) -> Iterator[str]:
    """Make a process one that can't be killed, in the way that this machine allows."""
    with contextlib.ExitStack() as until_then:
        for way in (frozen, held):
            with contextlib.suppress(OSError):
                until_then.enter_context(way(pid))
                yield way.__name__
                return
        cannot("no process can be frozen or traced here")


@attack("R1", "a process of a job can't be killed for a while")
async def unkillable(scene: Scene) -> str:
    async with scene.worker(max_concurrent_jobs=3) as worker:

        def slots() -> list[int]:
            return [e.get("slots_left", e.get("slots")) for e in events_of(worker) if "stuck" in e["event"]]

        leaving = Leaving(scene, "daemon", scene.directory / "stuck")
        pid = await leaving.begin()
        with _stuck(pid) as how:
            ending = asyncio.ensure_future(leaving.end())
            waited = []
            while not ending.done():
                waited.append(await _ordinary(scene))
                await asyncio.sleep(0.2)
            check(ending.result()["success"], f"the job failed: {ending.result()}")
            # Who had to wait for the process would have waited until the worker gave it up, after five seconds.
            check(statistics.median(waited) < 3.0, f"other jobs took {sorted(waited)} s")
            await wait_until(slots, "that its slot is set aside")
            waited += await asyncio.gather(_ordinary(scene), _ordinary(scene))
            check(slots() == [2], f"slots that were left: {slots()}")
            thawed = time.monotonic()
        await wait_until(lambda: slots() == [2, 3], "the slot's return", 10)
        back = time.monotonic() - thawed
        check(not os.path.exists(f"/proc/{pid}"), "the process is still there")
        others = [e for e in events_of(worker) if e["event"] == "job_warning" and e["job"] != leaving.job]
        check(not others, f"others were blamed: {others}")
    return f"{how}: 1 slot of 3 lost, back {back:.1f} s after; {len(waited)} others ended, {max(waited):.1f} s at most"


@attack("R2", "a process whose first thread has ended goes on writing, without cgroups")
async def headless(scene: Scene) -> str:
    async with scene.worker(cgroups="off") as worker:
        leaving = Leaving(scene, "headless", scene.directory / "headless")
        pid = await leaving.begin()
        written = leaving.place / "written"
        await wait_until(written.exists, "its first byte")
        result = await leaving.end()
        before = written.stat().st_size
        check(result["success"], f"the job failed: {result}")
        await asyncio.sleep(0.5)
        check(written.stat().st_size == before, "it wrote after the result")
        check(not os.path.exists(f"/proc/{pid}"), "it is still there")
        check(not [e for e in events_of(worker) if e["event"] == "job_stuck"], "it took a slot")
    return "it was killed before the result went out, and took no slot"


@attack("R10", "a job makes processes that are children of the worker's (clone, CLONE_PARENT)")
async def siblings(scene: Scene) -> str:
    """Under `--isolation kernel` it can't (R10-evasion); this is what holds where the kernel lets it."""
    async with scene.worker(cgroups="off", isolation="off") as worker:

        def told_of(job: str) -> list[str]:
            return [
                e["message"] for e in events_of(worker) if e["event"] == "job_warning" and e["job"] == job
            ]

        leaving = Leaving(scene, "sibling", scene.directory / "sibling")
        pid = await leaving.begin()
        others = [await scene.submit(_ORDINARY, {"text": "x"}) for _ in range(3)]
        for other in others:
            check((await scene.result_of(other))["success"], "another job failed")
        check(os.path.exists(f"/proc/{pid}"), "another job's end has killed it")
        check((await leaving.end())["success"], "the job itself failed")
        await wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the process")
        await wait_until(lambda: told_of(leaving.job), "a word on what it has left")
        check(not any(map(told_of, others)), "another job was blamed")
    return (
        "3 other jobs ended meanwhile and were not blamed; it went with its own job, and that one is told of"
    )


@attack("R21", "a process of a job traces it while it dies")
async def traced(scene: Scene) -> str:
    """Under `--isolation kernel` nothing is traced; this is what holds where the kernel lets it."""
    async with scene.worker(isolation="off"):
        leaving = Leaving(scene, "tracer", scene.directory / "tracer")
        await leaving.begin()
        traces, refused = leaving.place / "traces", leaving.place / "cannot"
        await wait_until(lambda: traces.exists() or refused.exists(), "the try to trace")
        if refused.exists():
            cannot("a process may not trace its parent here")
        result = await leaving.end()
        check("exit code 7" in result["message"], f"it does not say how it ended: {result['message'][:200]}")
    return "its result tells the true exit code"


@attack("C2", "jobs open terminals by their names and close them")
async def terminals(scene: Scene) -> str:
    async with scene.worker():
        jobs = [await scene.submit(_LEAVES, {"attack": "terminal"}, maxAttempts=1) for _ in range(4)]
        for result in await asyncio.gather(*map(scene.result_of, jobs)):
            check(result["success"], f"a job failed: {result['message'][:200]}")
    return "4 jobs succeeded"


@attack("X-leftover", "a job leaves a process and ends while the worker can open no file", pings=False)
async def unsearched(scene: Scene) -> str:
    figures = []
    for cgroups in ("auto", "off"):
        async with scene.worker(cgroups=cgroups) as worker:
            leaving = Leaving(scene, "daemon", scene.directory / f"unsearched-{cgroups}")
            left = await leaving.begin()
            before = resource.prlimit(worker.supervisor_pid, resource.RLIMIT_NOFILE)
            resource.prlimit(worker.supervisor_pid, resource.RLIMIT_NOFILE, (8, before[1]))
            (leaving.place / "go").touch()
            try:
                await wait_until(lambda: _told(worker, "leftovers_not_searched"), "that it can't look")
                check(os.path.exists(f"/proc/{left}"), "the process was found all the same")
            finally:
                resource.prlimit(worker.supervisor_pid, resource.RLIMIT_NOFILE, before)
            lifted = time.monotonic()
            await wait_until(lambda: not os.path.exists(f"/proc/{left}"), "the end of the process")  # noqa: B023
            figures.append(f"{time.monotonic() - lifted:.1f}")
            await wait_until(lambda: _told(worker, "job_unstuck"), "the slot's return")
            result = await scene.result_of(leaving.job)
            check(result["success"], f"the job failed: {result}")
            await _ordinary(scene)
    return f"the idle worker killed it {' and '.join(figures)} s after it could look again, and used the slot again"


def _told(worker: Worker, name: str) -> bool:
    return any(event["event"] == name for event in events_of(worker))
