"""`logs`: the log of a job, while it runs or after its end, in portions for readers of any speed.

Each part of the answer has `lines` (JSON objects, one on a line) and `running`. The first part also has `line`, the
number of its first line. The last one has `complete`. If it is false, the reader was too slow: it asks again from the
next line on, and finds a line that says how many it has missed. If no log is kept, the last part has `no_log`, which
says why.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from supervisor.journal.ended_jobs.no_log import why_no_log
from supervisor.worker.control.ended_jobs import opened, unknown
from supervisor.worker.control.job_ids import asked_job_id
from supervisor.worker.control_socket.protocol import JsonObject, Request
from supervisor.worker.parts import Parts

if TYPE_CHECKING:  # each import before the template starts delays it
    from supervisor.journal.ended_jobs.running_log import RunningLog
    from supervisor.worker.job_records import JobRecords
    from supervisor.worker.running_jobs import RunningJobs

GATHER_SECONDS: Final = 0.1
"""How long lines are collected for followers: a hundred followers must not wake up for each line."""

LAST_SECONDS: Final = 10.0
"""How long after a job's end its log stays in memory for a slow follower, who finds the rest on the disk."""

_WAIT_SECONDS: Final = 0.5


async def logs(parts: Parts, request: Request) -> AsyncIterator[JsonObject]:
    """Yield the log of a job: all that exists; with `follow`, also what comes until the job ends."""
    job_id, line, follow = (
        asked_job_id(parts, request),
        int(request.number("line", 0)),
        request.flag("follow"),
    )
    records = parts.dispatcher.records
    while follow and _waits(parts.dispatcher.running_jobs, job_id):  # noqa: ASYNC110
        await asyncio.sleep(_WAIT_SECONDS)  # the dispatcher does not report when it gives out a slot
    running = records.running_log(job_id)
    if running is not None:
        async for part in _of_running(running, line, follow=follow):
            yield part
    elif _waits(parts.dispatcher.running_jobs, job_id):
        yield {"lines": "", "line": 0, "running": True, "complete": True}
    else:
        async for part in _of_ended(records, job_id):
            yield part


def _waits(jobs: "RunningJobs", job_id: str) -> bool:
    """Whether a job has no slot yet, and so no log."""
    found = jobs.find(job_id)
    return found is not None and found.slot is None


async def _of_running(log: "RunningLog", line: int, *, follow: bool) -> AsyncIterator[JsonObject]:
    first: JsonObject = {"line": line}
    until, ended_at, now = log.lines.lines, 0.0, asyncio.get_running_loop().time
    while True:
        portion = log.read(line)
        yield {"lines": portion.text.decode(), "running": not log.ended, **first}
        first, line = {}, portion.next_line
        if line >= (log.lines.lines if follow else until):
            if log.ended or not follow:
                yield {"lines": "", "running": not log.ended, "complete": True}
                return
            await log.wait(line)
            if not log.ended:
                await asyncio.sleep(GATHER_SECONDS)
        elif log.ended:
            ended_at = ended_at or now()
            if now() > ended_at + LAST_SECONDS:
                return


async def _of_ended(records: "JobRecords", job_id: str) -> AsyncIterator[JsonObject]:
    kept = records.kept
    async with opened(kept, job_id) as job:
        if kept is None or job is None:
            raise unknown(records, job_id)
        first: JsonObject = {"line": 0}
        start, rest = 0, b""
        while portion := await kept.portion(job, start):
            start += len(portion)
            whole, newline, rest = (rest + portion).rpartition(b"\n")
            yield {"lines": (whole + newline).decode(), "running": False, **first}
            first = {}
        if not job.log_bytes:
            first["no_log"] = why_no_log(job.job.job_id, job.job.cause)
        yield {"lines": "", "running": False, "complete": True, **first}
