"""The routes of the embedded engine by which a person or a program submits jobs. No neops engine has them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from supervisor.engine.http import EngineAccess, EngineHttp
from supervisor.errors import EngineError
from supervisor.settings.origins import shown

_ANSWER_CAP_BYTES: Final = 256 * 2**20
"""A job is listed with its result and those of earlier tries, each many megabytes; the list of blocks
has the schemas of each. No worker asks for these, so no heartbeat waits while they are read.
"""

_NOT_FOUND: Final = 404
_ID: Final = re.compile(
    r"(?P<package>[^/:]+)/(?P<name>[^/:]+):(?P<major>\d{1,9})\.(?P<minor>\d{1,9})\.(?P<patch>\d{1,9})",
    re.ASCII,
)


class NoSubmissionError(EngineError):
    """The engine takes no single jobs: it is a neops engine, whose jobs are steps of workflows."""


@dataclass(frozen=True, slots=True)
class OfferedBlock:
    """A block that is registered with the engine.

    `is_gone`: no worker has it any more. Only an embedded engine reports this.
    """

    package: str
    name: str
    version: tuple[int, int, int]
    run_on: str
    workers_online: int
    is_gone: bool = False

    @property
    def id(self) -> str:
        """The block's id."""
        return f"{self.package}/{self.name}:{'.'.join(map(str, self.version))}"


class Submissions:
    """Submits jobs and looks at them. Every method raises `EngineError`. Needs a running loop when created."""

    def __init__(self, access: EngineAccess) -> None:
        self._shown_url = shown(access.url)  # it may hold a password
        self._http = EngineHttp(access)

    async def blocks(self) -> list[OfferedBlock]:
        """Return the registered blocks."""
        answer = await self._http.get(
            "/function-blocks/registrations/list?populateWorkers=true",
            "the request for its blocks",
            cap_bytes=_ANSWER_CAP_BYTES,
        )
        listed = answer.json("the request for its blocks")
        items = listed if isinstance(listed, list) else []
        return [block for item in items if isinstance(item, dict) and (block := _block(item)) is not None]

    async def submit(self, job: Mapping[str, Any]) -> str:
        """Submit one job, in the format of `POST /dev/jobs`, and return its id. Raises `NoSubmissionError`."""
        (job_id,) = await self._submit(dict(job), 1, "a job")
        return job_id

    async def submit_all(self, jobs: Sequence[Mapping[str, Any]]) -> list[str]:
        """Submit several jobs, all or none. Return their ids in the same order. Raises `NoSubmissionError`."""
        return await self._submit([dict(job) for job in jobs], len(jobs), "these jobs")

    async def _submit(self, body: Any, count: int, what: str) -> list[str]:
        try:
            answer = await self._http.post("/dev/jobs", what, body)
        except EngineError as error:
            raise self._no_submission(error) or _unknown_end(error, count) or error from None
        ids = _object(answer.json(what)).get("jobIds")
        if not isinstance(ids, list) or len(ids) != count or not all(isinstance(each, str) for each in ids):
            raise EngineError(
                f"The engine's answer to {what} names no job. Is it an engine of `supervisor local`?"
            )
        return ids

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return what the engine knows of a job, without its parameters and its context."""
        path = f"/dev/jobs/{quote(job_id, safe='')}?withoutInput=true"
        answer = await self._http.get(path, "the request for a job", cap_bytes=_ANSWER_CAP_BYTES)
        return _object(answer.json("the request for a job"))

    async def back_up(self, name: str) -> None:
        """Ask the engine to copy its database to `backup-NAME.sqlite3` beside it. It answers nobody meanwhile."""
        await self._http.post("/dev/backup", "the request for a backup", {"name": name})

    def _no_submission(self, error: EngineError) -> NoSubmissionError | None:
        if error.status != _NOT_FOUND:
            return None
        return NoSubmissionError(
            f"The engine at {self._shown_url} takes no single jobs (404). A neops engine runs a block as a step of a "
            "workflow: run a workflow there. To run one job, use the engine of `supervisor local` or `supervisor dev`.",
            status=_NOT_FOUND,
            retryable=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


def _unknown_end(error: EngineError, count: int) -> EngineError | None:
    """Return what to raise if the engine may have taken the jobs: submitted again, they would run twice."""
    if not error.timed_out:
        return None
    them = "it" if count == 1 else "them"
    return EngineError(
        f"{error} It may have taken {them} all the same: look at `supervisor jobs` before you submit {them} again.",
        timed_out=True,
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _block(item: dict[str, Any]) -> OfferedBlock | None:
    parts = _ID.fullmatch(str(item.get("id")))
    if parts is None:
        return None
    workers = item.get("workers")
    online = [
        worker
        for worker in (workers if isinstance(workers, list) else [])
        if isinstance(worker, dict) and worker.get("state") == "online"
    ]
    version = (int(parts["major"]), int(parts["minor"]), int(parts["patch"]))
    run_on = str(item.get("runOn") or "global")
    is_gone = item.get("isOffered") is False
    return OfferedBlock(parts["package"], parts["name"], version, run_on, len(online), is_gone)
