"""Attacks on who a worker is: copies, clones and restored backups of its state directory, and its lock."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.capabilities import lacking
from tests.faults.programs import Worker
from tests.programs.redteam.attack import attack, cannot, check, wait_until
from tests.programs.redteam.attacks.capacity import template_of
from tests.programs.redteam.scene import Scene, events_of

_ORDINARY = "neops_redteam/ordinary:1.0.0"
_CLONE_NEWNS = 0x00020000
_SETTLE_SECONDS = 1.0


def uuid_of(worker: Worker) -> str:
    """Return who the worker is for the engine, by what it said when it was ready."""
    return str(next(event["worker"] for event in events_of(worker) if event["event"] == "worker_ready"))


def said(worker: Worker, name: str) -> list[dict[str, Any]]:
    return [event for event in events_of(worker) if event["event"] == name]


async def running_job(scene: Scene, worker: Worker, seconds: float) -> str:
    """Give the engine a job, and wait until it runs at this worker and its claim is on the disk."""
    job = await scene.submit(_ORDINARY, {"seconds": seconds, "text": "original"})
    await wait_until(lambda: job in _claims(worker.state_dir), "the writing of the claim")
    await wait_until(lambda: said(worker, "job_started"), "the start of the job")
    return job


def _claims(state_dir: Path) -> list[str]:
    with contextlib.closing(
        sqlite3.connect(f"file:{state_dir}/journal.sqlite3?mode=ro", uri=True)
    ) as journal:
        return [job for (job,) in journal.execute("SELECT job_id FROM claims")]


def waiting_processes(worker: Worker) -> set[int]:
    """Return the template and the spares: all but the children that have a job, which end with it, and session holders,
    which end when they are not used. What was forked just now has no name of its own yet, and may become either."""
    spares = {pid for pid, name in worker.below_supervisor.items() if name == "neops-spare"}
    return spares - {event["pid"] for event in said(worker, "job_started")} | {template_of(worker)}


async def killed(worker: Worker) -> None:
    """Kill keeper and supervisor at the same moment: nothing is said any more, and the claim stays in the journal."""
    supervisor = worker.supervisor_pid
    worker.signal(signal.SIGSTOP)
    if supervisor is not None:
        os.kill(supervisor, signal.SIGKILL)
    await worker.kill()


async def send_result(scene: Scene, job: str, status: str) -> None:
    """Send a result as a worker would. Raises `FaultTestError` when the engine has one already."""
    data = {"text": "another"} if status == "success" else {}
    result = {"success": status == "success", "message": status, "data": data}
    body = {"jobExecutionId": job, "status": status, "result": result, "acquires": []}
    await scene.engine.ask(scene.session, "POST", "/blackboard/job/result", body)


async def claim_as_another(scene: Scene, job: str) -> None:
    """Be another worker, and claim the job."""
    made = await scene.engine.ask(scene.session, "POST", "/workers/register", {"version": "1.0.0"})
    block = {"package": "neops_redteam", "name": "ordinary"}
    block_id = {**block, "majorVersion": 1, "minorVersion": 0, "patchVersion": 0}
    body = {"workerId": made["uuid"], "limit": 1, "functionBlockIds": [block_id]}
    claimed = await scene.engine.ask(scene.session, "POST", "/blackboard/job", body)
    check([each["jobId"] for each in claimed] == [job], f"the engine gave {claimed} out")


async def refused(second: Worker) -> None:
    """Wait until a worker has ended, and check that it did because its directory is in use."""
    await wait_until(lambda: not second.is_running, "the refusal of the second worker")
    check("in use by another supervisor" in second.said(), f"it said: {second.said()[-500:]}")


@attack("R4", "a copy of the state directory is started beside its worker")
async def copied_directory(scene: Scene) -> str:
    async with scene.worker() as original:
        job = await running_job(scene, original, 6)
        copy = scene.directory / "copy"
        shutil.copytree(original.state_dir, copy, ignore=shutil.ignore_patterns("jobs", "run"))
        processes = waiting_processes(original)
        async with scene.worker(state_dir=copy) as second:
            check(uuid_of(second) != uuid_of(original), "both workers are one for the engine")
            check(said(second, "place_in_doubt"), "the copy did not say that it may be one")
            await wait_until(lambda: said(second, "claim_set_aside"), "the setting aside of the claim")
            aside = said(second, "claim_set_aside")
            check([event["job"] for event in aside] == [job], f"set aside was {aside}")
            check(not processes - set(original.below_supervisor), "the copy killed processes of the original")
            result = await scene.result_of(job)
            check(result["success"], f"the running job was reported as failed: {result['message']}")
    return "two uuids; the original's job succeeded, and the copy set its claim aside"


@attack("R20", "the lock's file is deleted, and a second worker is started on the directory")
async def deleted_lock(scene: Scene) -> str:
    async with scene.worker() as first:
        job = await running_job(scene, first, 3)
        (first.state_dir / "lock").unlink()
        processes = waiting_processes(first)
        async with scene.worker(state_dir=first.state_dir, ready=False) as second:
            await refused(second)
        check(not processes - set(first.below_supervisor), "processes of the first worker were killed")
        check((await scene.result_of(job))["success"], "the job failed")
    return f"refused; the job succeeded, and all {len(processes)} processes lived on"


@attack(
    "B4", "the disk with the state directory is started in a clone, which has another machine-id", pings=False
)
async def cloned_machine(scene: Scene) -> str:
    if os.geteuid() or (reason := lacking("mounts of root")):
        cannot("needs root, and mounts" if os.geteuid() else reason)
    if not Path("/etc/machine-id").is_file():
        cannot("there is no /etc/machine-id here that could be another one")
    async with scene.worker() as original:
        uuid, job = uuid_of(original), await running_job(scene, original, 60)
        await killed(original)
        with other_machine_id(scene.directory):
            async with scene.worker(state_dir=original.state_dir) as clone:
                check(uuid_of(clone) != uuid, "the clone is the same worker")
                reasons = [event["reason"] for event in said(clone, "place_in_doubt")]
                check(reasons and "machine-id" in reasons[0], f"the doubt was {reasons}")
                await wait_until(lambda: said(clone, "claim_set_aside"), "the setting aside of the claim")
                await asyncio.sleep(_SETTLE_SECONDS)
                record = await scene.job(job)
                check(record["finishedAt"] is None, "the clone reported the original's job")
    return "the clone registered anew, and reported nothing of the original's job"


@attack(
    "X-restored", "a journal from before is put in place while the job runs at another worker", pings=False
)
async def restored_journal(scene: Scene) -> str:
    await scene.engine.kill()
    scene.engine.flags = (*scene.engine.flags, "--max-attempts", "2")
    await scene.engine.open()
    async with scene.worker() as first:
        uuid, job = uuid_of(first), await running_job(scene, first, 60)
        backup = scene.directory / "backup"
        shutil.copytree(first.state_dir, backup, ignore=shutil.ignore_patterns("jobs", "run"))
        await killed(first)
        await send_result(
            scene, job, "failed"
        )  # as it did after the backup was made: the engine tries it again
        await claim_as_another(scene, job)
        shutil.copytree(backup, first.state_dir, dirs_exist_ok=True)
        async with scene.worker(state_dir=first.state_dir) as restored:
            check(uuid_of(restored) == uuid, "restored in place, it should be the same worker")
            await wait_until(lambda: said(restored, "claim_over"), "the dropping of the claim")
            await asyncio.sleep(_SETTLE_SECONDS)
            record = await scene.job(job)
            check(
                record["finishedAt"] is None, f"the other worker's try was contradicted: {record['result']}"
            )
            over = [event["job"] for event in said(restored, "claim_over")]
            check(over == [job], f"said to be over was {over}")
            await send_result(scene, job, "success")
    return "the same worker; the old claim was dropped, and the other worker's result counts"


@attack("X-moved", "the state directory is moved while its worker runs, and a second worker is started on it")
async def moved_directory(scene: Scene) -> str:
    async with scene.worker() as first:
        job = await running_job(scene, first, 4)
        moved = first.state_dir.rename(scene.directory / "moved")
        async with scene.worker(state_dir=moved, ready=False) as second:
            await refused(second)
        result = await scene.result_of(job)
        check(result["success"], f"the job failed: {result['message']}")
    return "refused: the directory stays locked wherever it is"


@contextlib.contextmanager
def other_machine_id(directory: Path) -> Iterator[None]:
    """Have this process, and what it starts, see another machine-id: in a mount namespace of its own."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        cannot(f"no mount namespace can be made here: {os.strerror(ctypes.get_errno())}")
    file = directory / "machine-id"
    file.write_text("c0ffee" * 5 + "00\n")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", file, "/etc/machine-id"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "/etc/machine-id"], check=True)
