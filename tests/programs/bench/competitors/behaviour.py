"""What each worker makes of blocks that hang, crash or leave something behind: one worker with two slots a case."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Final

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench.competitors.running import Running, running
from tests.programs.bench.competitors.workers import LIMIT_SECONDS, Competitor

ACTS: Final = ("hang", "crash", "leave_process", "leave_state")
_SLOTS: Final = 2
_JOBS_AFTER: Final = 3
_PATIENCE_SECONDS: Final = LIMIT_SECONDS + 15.0
"""Longer than the slowest worker takes between two polls: what has not happened by then is taken as never."""


async def observe(directory: Path, competitor: Competitor) -> dict[str, str]:
    """Return in a few words, for each act, what became of the job, and of those after it."""
    seen: dict[str, str] = {}
    for act in ACTS:
        try:
            async with running(competitor, directory / act, _SLOTS) as worker:
                seen[act] = await _CASES[act](worker)
        except ProgramError as error:
            seen[act] = f"could not be tried: {error.reason}"
    return seen


async def _ended(worker: Running, act: str, number: int) -> str:
    """Return what became of jobs that do not end well, and whether the worker goes on."""
    reported = 0
    status = ""
    for job_id in await worker.submit([{"act": act}] * number):
        job = await worker.job(job_id, _PATIENCE_SECONDS)
        if job is not None:
            reported, status = reported + 1, _status(job)
    what = f"reported as {status}" if reported == number else "never reported"
    after = await worker.submit([{"text": "after"}] * _JOBS_AFTER)
    served = [await worker.job(each, _PATIENCE_SECONDS) for each in after]
    done = sum(each is not None and _status(each) == "success" for each in served)
    if done == _JOBS_AFTER:
        return f"{what}; the next jobs run"
    if not worker.is_running:
        return f"{what}; the worker has ended"
    return f"{what}; {'none' if done == 0 else done} of the next {_JOBS_AFTER} jobs succeeds"


def _status(job: dict[str, object]) -> str:
    result = job.get("result")
    text = result.get("status") if isinstance(result, dict) else None
    return str(text or job.get("status"))


async def _hang(worker: Running) -> str:
    # In every slot: one that is lost can't hide behind the other.
    return await _ended(worker, "hang", _SLOTS)


async def _crash(worker: Running) -> str:
    return await _ended(worker, "crash", 1)


async def _leave_process(worker: Running) -> str:
    (job_id,) = await worker.submit([{"act": "leave_process"}])
    job = await worker.job(job_id, _PATIENCE_SECONDS)
    if job is None or not (pid := _data(job).get("pid")):
        return "no result"
    await asyncio.sleep(0.5)
    if not _lives(int(pid)):
        return "ended with the job"
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(pid), signal.SIGKILL)
    return "still runs after the result"


async def _leave_state(worker: Running) -> str:
    seen = 0
    for _ in range(2):
        (job_id,) = await worker.submit([{"act": "leave_state"}])
        job = await worker.job(job_id, _PATIENCE_SECONDS)
        if job is None:
            return "no result"
        seen = int(str(_data(job).get("seen_before", 0)))
    return "gone with the job" if seen == 1 else "the next job finds it"


def _data(job: dict[str, object]) -> dict[str, object]:
    result = job.get("result")
    inner = result.get("result") if isinstance(result, dict) else None
    data = inner.get("data") if isinstance(inner, dict) else None
    return data if isinstance(data, dict) else {}


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


_CASES: Final = {"hang": _hang, "crash": _crash, "leave_process": _leave_process, "leave_state": _leave_state}
