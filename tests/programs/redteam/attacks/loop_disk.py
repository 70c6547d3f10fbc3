"""Attacks by the disk of the state directory: it hangs, is full, is gone, or holds very many files."""

import asyncio
import contextlib
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.programs.redteam.attack import attack, cannot, check, wait_until
from tests.programs.redteam.attacks.loop import LITTER, names_of, run
from tests.programs.redteam.scene import Scene

SLOTS: Final = 4
_DISK_BYTES: Final = 64 * 2**20


@asynccontextmanager
async def disk(scene: Scene) -> AsyncIterator[Path]:
    """Mount an ext4 file system of its own, which can be frozen; it is thawed and taken away at the end."""
    image, place = scene.directory / "disk.img", scene.directory / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(_DISK_BYTES)
    for command in (("mkfs.ext4", "-q", str(image)), ("mount", "-o", "loop", str(image), str(place))):
        try:
            done = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, check=False
            )
        except OSError as error:
            cannot(f"no disk can be made here: {error}")
        if done.returncode:
            cannot(f"no disk can be made here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        await thaw(place)
        for _ in range(100):
            if (
                await asyncio.to_thread(subprocess.run, ("umount", str(place)), capture_output=True)
            ).returncode == 0:
                break
            await asyncio.sleep(0.1)


async def freeze(place: Path) -> None:
    done = await asyncio.to_thread(
        subprocess.run, ("fsfreeze", "--freeze", str(place)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        cannot(f"no disk can be frozen here: {done.stderr.strip()}")


async def thaw(place: Path) -> None:
    await asyncio.to_thread(
        subprocess.run, ("fsfreeze", "--unfreeze", str(place)), capture_output=True, check=False
    )


async def submit_for(scene: Scene, seconds: float, pause_seconds: float = 0.2) -> list[str]:
    """Give the engine a job now and then for so long, and return their ids."""
    jobs: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        jobs.append(await scene.submit("neops_redteam/ordinary:1.0.0", {"text": str(len(jobs))}))
        await asyncio.sleep(pause_seconds)
    return jobs


@attack("R3", "the disk of the state directory does not answer", needs=("mounts of root",))
async def frozen_disk(scene: Scene, seconds: float = 0.0) -> str:
    async with disk(scene) as place, scene.worker(state_dir=place / "state") as worker:
        jobs = await submit_for(scene, 1.0)
        await freeze(place)
        frozen = time.monotonic()
        try:
            meanwhile: list[str] = []
            flows_after = None
            while flows_after is None or time.monotonic() < frozen + seconds:
                meanwhile += await submit_for(scene, 0.5)
                done = sum([(await scene.job(job))["finishedAt"] is not None for job in meanwhile])
                if flows_after is None and done > SLOTS:  # more than those that had all they needed already
                    flows_after = time.monotonic() - frozen
                check(time.monotonic() < frozen + seconds + 60, f"only {done} of {len(meanwhile)} jobs ended")
        finally:
            await thaw(place)
            took = time.monotonic() - frozen
        results = await asyncio.gather(*map(scene.result_of, [*jobs, *meanwhile]))
        failed = [result["message"] for result in results if not result["success"]]
        check(not failed, f"{len(failed)} of {len(results)} jobs failed: {failed[:1]}")
        await wait_until(lambda: "journal_restored" in names_of(worker), "the repair of the journal")
        return (
            f"frozen for {took:.0f} s: none of {len(results)} jobs was lost, "
            f"{done} of {len(meanwhile)} ended meanwhile, the first {SLOTS + 1} after {flows_after:.1f} s"
        )


@attack("R3-long", "the same for 30 s", needs=("mounts of root",), short=False, seconds=180.0)
async def frozen_disk_for_long(scene: Scene) -> str:
    return await frozen_disk(scene, 30.0)


@attack("R3-stop", "SIGTERM while the disk does not answer", needs=("mounts of root",), pings=False)
async def stop_on_a_frozen_disk(scene: Scene) -> str:
    async with disk(scene) as place, scene.worker(state_dir=place / "state") as worker:
        await freeze(place)
        try:
            job = await scene.submit("neops_redteam/ordinary:1.0.0", {"text": "x"})
            result = await scene.result_of(job)
            check(result["success"], f"the job failed: {result['message']}")
            asked = time.monotonic()
            worker.signal(signal.SIGTERM)
            code = await worker.ended(40.0)
            took = time.monotonic() - asked
        finally:
            await thaw(place)
        check(code == 0, f"the worker ended with {code}: {worker.said()[-800:]}")
        return f"the worker ended with 0 after {took:.1f} s, on a disk that was still frozen"


@attack("X-disk", "the disk of the state directory is full", needs=("mounts of root",))
async def full_disk(scene: Scene) -> str:
    async with disk(scene) as place, scene.worker(state_dir=place / "state") as worker:
        await asyncio.to_thread(fill, place)
        await asyncio.gather(*(run(scene, kind="wait") for _ in range(8)))
        await wait_until(
            lambda: "job_directories_elsewhere" in names_of(worker), "the word of where jobs are"
        )
        (place / "filler").unlink()
        # The file system may take a while to give the space back. The next job that gets a directory there tells of it.
        end = time.monotonic() + 20.0
        while "job_directories_back" not in names_of(worker):
            check(time.monotonic() < end, "the directories of jobs were not back within 20 s")
            await run(scene, kind="wait")
        await wait_until(lambda: "journal_restored" in names_of(worker), "the repair of the journal")
        return "8 of 8 jobs succeeded on a full disk, and the journal is whole again"


def fill(place: Path) -> None:
    """Take every block of a file system."""
    with (place / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(2**16))
    with (place / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)


@attack("R15", "the state directory is removed while the worker runs")
async def no_state_directory(scene: Scene) -> str:
    async with scene.worker() as worker:
        await run(scene, kind="wait")
        await wait_until(
            lambda: removed_whole(worker.state_dir), "the removal"
        )  # the worker makes it anew meanwhile
        removed = time.monotonic()
        for _ in range(6):
            await run(scene, kind="wait")
        await wait_until(lambda: (worker.state_dir / "journal.sqlite3").exists(), "the repair of the journal")
        took = time.monotonic() - removed
        check(stat.S_IMODE(worker.state_dir.stat().st_mode) == 0o700, "the new directory is open to others")
        await wait_until(lambda: "journal_restored" in names_of(worker), "the word that the journal is whole")
        return f"6 of 6 jobs succeeded, the journal was there again after {took:.1f} s"


@attack("D-files", "jobs leave very many files")
async def many_files(scene: Scene, number: int = 20_000, times: int = 2) -> str:
    async with scene.worker(max_job_seconds=120) as worker:
        alone = [await timed(run(scene, kind="wait")) for _ in range(3)]
        with_others: list[list[float]] = []
        for _ in range(times):
            many = await scene.submit(LITTER, {"kind": "files", "number": number})
            while not (await scene.job(many))["finishedAt"]:
                await asyncio.sleep(0.02)
            with_others.append([await timed(run(scene, kind="wait"))])
            while any(map(listed, listed(worker.state_dir / "jobs"))):
                with_others[-1].append(await timed(run(scene, kind="wait")))
        # The quickest of the first ones: each of them meets a whole removal, and the machine may stand still in one.
        took = min(first for first, *_ in with_others)
        check(
            took < max(alone) + 0.5,
            f"the first job during a removal took {took:.2f} s, and {max(alone):.2f} s before",
        )
        return f"{number} files: other jobs took {took:.2f} s meanwhile, {max(alone):.2f} s before"


@attack("D-files-many", "two jobs leave 150,000 files each", short=False, seconds=180.0)
async def very_many_files(scene: Scene) -> str:
    return await many_files(scene, 150_000)


def removed_whole(directory: Path) -> bool:
    try:
        shutil.rmtree(directory)
    except OSError:
        return False
    return True


def listed(directory: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(directory.iterdir())
    return []


async def timed(work: Awaitable[object]) -> float:
    begun = time.monotonic()
    await work
    return time.monotonic() - begun
