"""Memory and descriptors that no cgroup counts, and what a job's user leaves behind."""

import asyncio
import ctypes
import resource
import time

from tests.programs.redteam.attack import attack, check
from tests.programs.redteam.scene import Scene, events_of

_HOARDING = "neops_redteam/hoarding:1.0.0"
_ORDINARY = "neops_redteam/ordinary:1.0.0"
_LIMIT_MB = 150
_HELD_MB = 600
_DROP_FROM_BOUNDS = 24  # PR_CAPBSET_DROP of <linux/prctl.h>
_SYS_ADMIN, _SYS_RESOURCE = 21, 24  # <linux/capability.h>


@attack(
    "R16",
    "600 MB in a memfd, shared by two processes, or shared by a fork, under a limit of 150, no cgroup; and the dump",
    seconds=60,
)
async def hidden_memory(scene: Scene) -> str:
    async with scene.worker(cgroups="off", max_job_memory_mb=_LIMIT_MB):
        figures = await asyncio.gather(*(_hoard(scene, kind) for kind in ("memfd", "shared", "forked")))
        result = await scene.result_of(await scene.submit(_HOARDING, {"kind": "dump", "seconds": 0}))
        check(result["success"], f"the job that writes into its dump failed: {result['message']}")
        taken = result["data"]["got"]
        check(taken <= 2**20, f"{taken} bytes were taken by the dump")
    return f"{', '.join(figures)}; the dump took {taken} bytes of 600 MB"


async def _hoard(scene: Scene, kind: str) -> str:
    """Return how long a job lived that held much more than it may."""
    begun = time.monotonic()
    job = await scene.submit(_HOARDING, {"kind": kind, "mb": _HELD_MB, "seconds": 8})
    result = await scene.result_of(job)
    seconds = time.monotonic() - begun
    check(not result["success"], f"{kind}: a job held {_HELD_MB} MB under a limit of {_LIMIT_MB}")
    check("memory" in result["message"], f"{kind}: it failed for another reason: {result['message']}")
    return f"{kind} ended after {seconds:.1f} s"


@attack("R12", "a job keeps descriptors on their way in sockets until the kernel takes no more", seconds=60)
async def sockets(scene: Scene) -> str:
    libc = ctypes.CDLL(None)
    for capability in (_SYS_ADMIN, _SYS_RESOURCE):  # who has these may send as many as it likes
        libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    async with scene.worker(max_concurrent_jobs=2) as worker:
        hoarding = await scene.submit(_HOARDING, {"kind": "sockets", "seconds": 5})
        await worker.wait_for("hoarding now")
        begun = time.monotonic()
        for number in range(4):
            result = await scene.result_of(await scene.submit(_ORDINARY, {"text": str(number)}))
            check(result["success"], f"a job beside it failed: {result['message']}")
        seconds = time.monotonic() - begun
        result = await scene.result_of(hoarding)
        check(result["success"], f"the job that holds them failed: {result['message']}")
        check(result["data"]["got"] >= 500, "it kept too few on their way: this shows nothing")
        failing = [event["message"] for event in events_of(worker) if "failing" in event.get("event", "")]
        check(not failing, f"children could not be started: {failing}")
    return f"{result['data']['got']} on their way; 4 jobs beside it took {seconds:.1f} s"
