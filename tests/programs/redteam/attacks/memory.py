"""Memory and descriptors that no cgroup counts, and what a job's user leaves behind."""

import asyncio
import ctypes
import os
import resource
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

from supervisor.worker.job_users import not_open_to_all
from tests.faults.programs import Worker
from tests.programs.redteam.attack import attack, check, wait_until
from tests.programs.redteam.scene import Scene, events_of

sys.path.append(str(Path(__file__).parents[3] / "jobusers"))

from job_users_support import opening  # found by the line above

_HOARDING = "neops_redteam/hoarding:1.0.0"
_ORDINARY = "neops_redteam/ordinary:1.0.0"
_LIMIT_MB = 150
_HELD_MB = 600
_DROP_FROM_BOUNDS = 24  # PR_CAPBSET_DROP of <linux/prctl.h>
_SYS_ADMIN, _SYS_RESOURCE = 21, 24  # <linux/capability.h>
_NEW_MOUNTS = 0x20000  # CLONE_NEWNS of <linux/sched.h>
_IN_PLACE = 4
"""Where in the command of `opening` begins what is done in the new mounts."""
_FIRST_USER = 3_100_000_000
_USERS = 3
_SHARED = Path("/dev/shm")
_NEEDS = ("mounts of root", "other users")
_ROOT = Path(__file__).parents[4]


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


@attack(
    "X20",
    "a job maps one file in memory 20,000 times; it and another hold 500 MB under a limit of 250, no cgroup",
    seconds=60,
)
async def very_many_maps(scene: Scene) -> str:
    async with scene.worker(cgroups="off", max_job_memory_mb=250) as worker:
        mapping = await scene.submit(_HOARDING, {"kind": "maps", "mb": 4, "seconds": 6})
        await worker.wait_for("hoarding now")
        figures = [await _hoard(scene, "private", 500), await _hoard(scene, "maps", 500)]
        result = await scene.result_of(mapping)
        check(result["success"], f"the job that holds 4 MB, mapped very often, failed: {result['message']}")
        failing = _messages(worker, "watch_failing")
        check(not failing, f"jobs could not be looked at: {failing}")
    return ", ".join(figures)


async def _hoard(scene: Scene, kind: str, mb: int = _HELD_MB, seconds: float = 20) -> str:
    """Return how long a job lived that held much more than it may."""
    begun = time.monotonic()
    job = await scene.submit(_HOARDING, {"kind": kind, "mb": mb, "seconds": seconds})
    result = await scene.result_of(job)
    seconds = time.monotonic() - begun
    check(not result["success"], f"{kind}: a job held {mb} MB under a limit that is far below")
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
        failing = _messages(worker, "children_failing")
        check(not failing, f"children could not be started: {failing}")
    return f"{result['data']['got']} on their way; 4 jobs beside it took {seconds:.1f} s"


def _messages(worker: Worker, name: str) -> list[str]:
    return [event["message"] for event in events_of(worker) if event["event"] == name]


_LEAVING = "neops_redteam/leaving:1.0.0"


@attack("R18", "a job leaves a file in a directory that every user may write to", needs=_NEEDS)
async def shared_directory(scene: Scene) -> str:
    let_users_in(scene)
    place = scene.directory / "srv" / "drop"
    place.parent.mkdir()
    _mount("mode=755", place.parent)
    place.mkdir()
    place.chmod(0o1777)
    async with scene.worker(max_concurrent_jobs=1, job_users=_users()):
        seen = [await _leave(scene, str(place), f"drop-{os.getpid()}", 1) for _ in range(2 * _USERS)]
        again = [
            data for number, data in enumerate(seen) if data["user"] in [one["user"] for one in seen[:number]]
        ]
        check(again, "no user came round: this shows nothing")
        owned = [data for data in seen if data["user"] in data["found_owners"]]
        check(not owned, f"{len(owned)} of {len(again)} jobs owned what an earlier one had left")
        await wait_until(lambda: not os.listdir(place), "the removal of what the last job left")
    return f"{len(again)} jobs got a user that came round; none owned what an earlier one had left"


@attack("R19", "a job leaves 120,000 files in /dev/shm", needs=_NEEDS, seconds=120, short=False)
async def very_many_files(scene: Scene) -> str:
    let_users_in(scene)
    _mount("mode=1777", _SHARED)
    async with scene.worker(max_concurrent_jobs=1, max_job_seconds=60, job_users=_users()) as worker:
        name = f"many-{os.getpid()}"
        first = await _leave(scene, str(_SHARED), name, 120_000)
        begun = time.monotonic()
        later = [await _leave(scene, str(_SHARED), f"{name}-x", 0) for _ in range(3)]
        check(
            first["user"] not in [data["user"] for data in later if os.listdir(_SHARED)], "it was used again"
        )
        await wait_until(lambda: not os.listdir(_SHARED), "the removal of all 120,000 files", 60)
        seconds = time.monotonic() - begun
        aside = [event["reason"] for event in events_of(worker) if event.get("event") == "job_user_lost"]
        check(aside, "the log does not say that the user is set aside")
    return f"all were gone {seconds:.1f} s after the job's end; meanwhile its user was set aside"


def _users() -> str:
    return f"{_FIRST_USER}-{_FIRST_USER + _USERS - 1}"


async def _leave(scene: Scene, directory: str, name: str, files: int) -> dict[str, Any]:
    parameters = {"directory": directory, "name": name, "files": files}
    result = await scene.result_of(await scene.submit(_LEAVING, parameters), 60)
    check(result["success"], f"the job failed: {result['message']}")
    data: dict[str, Any] = result["data"]
    return data


def _mount(options: str, place: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], check=True)


def let_users_in(scene: Scene) -> None:
    """Have every user see Python and this checkout, in mounts that only this process and its children see."""
    check(ctypes.CDLL(None).unshare(_NEW_MOUNTS) == 0, "no mounts of its own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    needed = (sys.executable, sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(_ROOT))
    closed = not_open_to_all(map(Path, needed))
    if closed:
        here = opening(closed)[_IN_PLACE:]
        subprocess.run([*here, "true"], check=True)
    for directory in (scene.directory, *scene.directory.parents):
        if directory.stat().st_uid == os.geteuid() and not directory.stat().st_mode & 0o001:
            directory.chmod(directory.stat().st_mode | 0o011)
