"""Attacks by what the loop might wait for: a disk, a terminal, whoever reads the log, a file of settings."""

import asyncio
import contextlib
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from supervisor.commands.demo.environment import program_environment
from tests.faults.programs import Worker
from tests.programs.redteam.attack import BrokenError, attack, cannot, check, wait_until
from tests.programs.redteam.scene import Scene, events_of

LITTER: Final = "neops_redteam/litter:1.0.0"
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
                check(time.monotonic() < frozen + seconds + 20, f"only {done} of {len(meanwhile)} jobs ended")
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
        await run(scene, kind="wait")
        await wait_until(lambda: "job_directories_back" in names_of(worker), "the word that they are back")
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


@attack("R7", "a job sets TOSTOP on the worker's terminal")
async def tostop(scene: Scene) -> str:
    master, slave = pty.openpty()
    terminal = os.ttyname(slave)
    try:
        async with scene.worker() as worker:
            pass  # for its flags
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        async with (
            read_all(master) as said,
            by_hand(worker, "setsid", "--ctty", "--wait", **streams) as process,
        ):
            await wait_until(lambda: b"The worker is ready" in said, "the start")
            scene.attack_begun = time.monotonic()
            await run(scene, kind="tostop", path=terminal)
            check(
                termios.tcgetattr(slave)[3] & termios.TOSTOP, "the job could not set it: this shows nothing"
            )
            await run(scene, kind="lines", number=20)
            lines = said.count(b"x" * 500)
            check(lines == 20, f"only {lines} of 20 lines came: {bytes(said[-300:])!r}")
            os.write(master, b"\x1a")  # Ctrl-Z
            await run(scene, kind="lines", number=1)
            os.write(master, b"\x03")  # Ctrl-C
            async with asyncio.timeout(20):
                await process.wait()
    finally:
        os.close(master)
        os.close(slave)
    return "jobs went on, Ctrl-Z stopped nothing, and Ctrl-C ended the worker"


@attack("R8", "whoever reads the log stops reading", pings=False)
async def log_reader_stops(scene: Scene) -> str:
    async with scene.worker() as worker:
        pass  # for its flags
    took = []
    for signals in (1, 3):
        reading, writing = os.pipe()
        try:
            async with by_hand(worker, stdout=writing, stderr=writing) as process:
                await run(scene, kind="lines", number=400)  # more than a pipe takes
                asked = time.monotonic()
                for _ in range(signals):
                    process.send_signal(signal.SIGTERM)
                    await asyncio.sleep(0.1)
                try:
                    async with asyncio.timeout(20):
                        await process.wait()
                except TimeoutError:
                    raise BrokenError(f"the worker still ran 20 s after {signals} signal(s)") from None
                took.append(time.monotonic() - asked)
        finally:
            os.close(reading)
            os.close(writing)
    return f"ended {took[0]:.1f} s after SIGTERM, {took[1]:.1f} s after three"


@attack("R14", ".env becomes a named pipe, then SIGHUP")
async def pipe_for_settings(scene: Scene) -> str:
    async with scene.worker() as worker:
        os.mkfifo(worker.temporary.parent / ".env")
        worker.signal(signal.SIGHUP)
        await wait_until(lambda: "reload_refused" in names_of(worker), "the refusal of the reload")
        (refused,) = (event for event in events_of(worker) if event.get("event") == "reload_refused")
        check("it is a named pipe" in refused["reason"], f"it says: {refused['reason']}")
        await run(scene, kind="wait")
        asked = time.monotonic()
        worker.signal(signal.SIGTERM)
        code = await worker.ended(20.0)
        check(code == 0, f"the worker ended with {code}")
        return f"the reload was refused in words, and SIGTERM took {time.monotonic() - asked:.1f} s"


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


@attack("D-files", "a job leaves very many files")
async def many_files(scene: Scene, number: int = 40_000) -> str:
    async with scene.worker() as worker:
        alone = [await timed(run(scene, kind="wait")) for _ in range(3)]
        many = await scene.submit(LITTER, {"kind": "files", "number": number})
        with_others: list[float] = []
        while not (await scene.job(many))["finishedAt"]:
            await asyncio.sleep(0.02)
        jobs = worker.state_dir / "jobs"
        while not with_others or any(map(listed, listed(jobs))):
            with_others.append(await timed(run(scene, kind="wait")))
        check(
            max(with_others) < max(alone) + 0.5,
            f"a job took {max(with_others):.2f} s during the removal, and {max(alone):.2f} s before",
        )
        return (
            f"{number} files: other jobs took {max(with_others):.2f} s meanwhile, {max(alone):.2f} s before"
        )


@attack("D-files-many", "a job leaves 300,000 files", short=False, seconds=180.0)
async def very_many_files(scene: Scene) -> str:
    return await many_files(scene, 300_000)


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


async def run(scene: Scene, **parameters: object) -> None:
    """Run a job that must succeed."""
    result = await scene.result_of(await scene.submit(LITTER, parameters))
    check(result["success"], f"a job failed: {result['message']}")


def names_of(worker: Worker) -> list[str]:
    """Return the names of all events in a worker's log."""
    return [str(event.get("event")) for event in events_of(worker)]


@asynccontextmanager
async def by_hand(worker: Worker, *prefix: str, **streams: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker that has ended once more, with streams of the attack's own."""
    process = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, "-m", "supervisor", *worker.flags,
        env=program_environment(os.environ, "faults") | {"TMPDIR": str(worker.temporary)},
        cwd=worker.temporary.parent, **{"stdin": asyncio.subprocess.DEVNULL, **streams},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


@asynccontextmanager
async def read_all(descriptor: int) -> AsyncIterator[bytearray]:
    """Read what comes on a terminal; the text grows meanwhile."""
    said = bytearray()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(OSError):
            said.extend(os.read(descriptor, 65536))

    loop.add_reader(descriptor, read)
    try:
        yield said
    finally:
        loop.remove_reader(descriptor)
