"""The life of jobs: submitted, claimed by a poll, ended by a result or the engine (engine contract: job states)."""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeGuard

from sdk.devengine import rules
from sdk.devengine.asked_blocks import AskedBlocks
from sdk.devengine.errors import ConflictError, NotFoundError, SubmissionError
from sdk.devengine.identifiers import BlockId, highest_match, parse_reference
from sdk.devengine.options import EngineOptions
from sdk.devengine.payloads.results import JobResult
from sdk.devengine.payloads.submissions import Submission
from sdk.devengine.records import Finisher, JobRecord, RegistrationRecord, ResultStatus
from sdk.devengine.store import Database, JobStore, NewJob, RegistrationStore, WorkerStore

# The real engine's cap for a poll without a limit is not documented. This one allows more than one job, and not many.
DEFAULT_POLL_LIMIT = 10
DEFAULT_STEP_LABEL = "step"

_MAX_POLL_LIMIT = 1_000_000
_MAX_STORED_NUMBER = 2**53


class Blackboard:
    """Creates, hands out and finishes jobs. Each method is one transaction. It is committed when the method returns."""

    def __init__(
        self,
        database: Database,
        options: EngineOptions,
        clock: Callable[[], float],
        on_finished: Callable[[str], None],
    ) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        self._on_finished = on_finished
        self._raw_items: deque[Any] = deque()
        self._asked = AskedBlocks()
        self.jobs = JobStore(database)
        self.workers = WorkerStore(database)
        self.registrations = RegistrationStore(database)

    def submit(self, submissions: Sequence[Submission]) -> list[str]:
        """Create the jobs, all or none, and return their ids. Raises `SubmissionError`."""
        with self._database.transaction():
            return [self._insert(submission) for submission in submissions]

    def add_raw_item(self, item: Any) -> None:
        """Add any JSON value to the response of the next poll that hands out jobs."""
        self._raw_items.append(item)

    def poll(self, worker_id: str, blocks: Sequence[BlockId], limit: int | None) -> list[str]:
        """Claim pending jobs for a worker; return their items as JSON texts, in creation order.

        Raises `NotFoundError` for an unknown worker. A worker that is not online gets nothing.
        """
        with self._database.transaction():
            worker = self.workers.get(worker_id)
            if worker is None:
                raise NotFoundError("the engine does not know this worker; register it")
            if worker.state is not rules.WorkerState.ONLINE:
                return []
            names = [str(block) for block in blocks]
            self._asked.asked(worker_id, names, self._clock())
            capped = min(limit or DEFAULT_POLL_LIMIT, _MAX_POLL_LIMIT)
            items = self.jobs.claim(worker_id, names, capped, self._clock())
            while self._raw_items:
                items.append(self._record_raw_item(self._raw_items.popleft(), worker_id))
            return items

    def accept_result(self, result: JobResult, text: str) -> None:
        """Store a worker's result. Raises `NotFoundError`, or `ConflictError` when it comes too late."""
        with self._database.transaction():
            job = self.jobs.get(result.job_execution_id)
            if job is None:
                raise NotFoundError("the engine does not know this job")
            if job.status == "pushed":
                raise ConflictError(f"job {job.job_id} already has a result; the first one stays")
            if job.status == "pending":
                raise ConflictError(f"no worker holds job {job.job_id}; it waits to be claimed")
            finished = self._end(job, result.status, text, "worker", retryable=result.result.retryable)
            self._asked.ended(job.worker_id or "", job.block, self._clock())
        if finished:
            self._on_finished(job.job_id)

    def fail(self, jobs: Sequence[tuple[JobRecord, str]]) -> None:
        """Fail claimed jobs in the name of the engine, each with its reason."""
        with self._database.transaction():
            finished = [
                job.job_id
                for job, reason in jobs
                if self._end(job, "failed", _engine_result(job, reason), "engine", retryable=None)
            ]
        for job_id in finished:
            self._on_finished(job_id)

    def waits_for(self, job: JobRecord) -> Literal["worker", "slot"] | None:
        """Return what a pending job waits for: a worker that offers its block, or a slot. Otherwise `None`."""
        if job.status != "pending":
            return None
        online = self._online(job.block)
        if self._is_asked_for(job.block, online):
            return "slot"
        return "slot" if self._has_one(job.block, online) else "worker"

    def is_offered(self, block: str) -> bool:
        """Whether a running worker has this block: a registration stays after the block was deleted."""
        online = self._online(block)
        return self._is_asked_for(block, online) or self._has_one(block, online)

    def sensitive_parameters(self, block: str) -> tuple[tuple[str, ...], ...]:
        """Return the paths of a block's parameters that must not be shown, as its worker gave them."""
        registration = self._registration(block)
        return () if registration is None else registration.sensitive_parameters

    def _online(self, block: str) -> list[str]:
        registration = self._registration(block)
        known = () if registration is None else map(self.workers.get, registration.worker_ids)
        return [each.uuid for each in known if each is not None and each.state is rules.WorkerState.ONLINE]

    def _is_asked_for(self, block: str, online: Sequence[str]) -> bool:
        now = self._clock()
        return any(not self._asked.has_stopped(each, block, now) for each in online)

    def _has_one(self, block: str, online: Sequence[str]) -> bool:
        """Whether one of these workers runs the block. A worker does not poll for a block while its slots are full."""
        return any(each.block == block and each.worker_id in online for each in self.jobs.all("polled"))

    def _insert(self, submission: Submission) -> str:
        block = self._resolve(submission)
        job_id = str(uuid.uuid4())
        item = {
            "functionBlockId": str(block),
            "jobId": job_id,
            "stepLabel": submission.step_label or DEFAULT_STEP_LABEL,
            "parameters": submission.parameters,
            "context": submission.context,
            "type": submission.type,
            "runOn": submission.run_on,
            "entityId": submission.entity_id,
        }
        self.jobs.insert(_new_job(job_id, item, _encoded(item)), self._clock())
        return job_id

    def _resolve(self, submission: Submission) -> BlockId:
        reference = parse_reference(submission.block)
        known = [record.block for record in self.registrations.named(reference.package, reference.name)]
        found = highest_match(reference, known)
        if found is not None:
            return found
        if reference.exact is not None and submission.allow_unregistered:
            return reference.exact
        versions = ", ".join(str(block) for block in sorted(known)) or "no version of it"
        raise SubmissionError(
            f"no worker has registered {reference} (registered: {versions}); start a worker that offers it, "
            "or name an exact version with allowUnregistered to let the job wait for one"
        )

    def _record_raw_item(self, item: Any, worker_id: str) -> str:
        text = json.dumps(item)
        job_id = item.get("jobId") if isinstance(item, dict) else None
        if _is_storable(job_id):
            # A known id is a duplicate on purpose: the row of the job itself stays unchanged.
            self.jobs.insert(_new_job(job_id, item, text), self._clock(), claimed_by=worker_id)
        return text

    def _end(
        self, job: JobRecord, status: ResultStatus, text: str, by: Finisher, *, retryable: bool | None
    ) -> bool:
        """Finish the job, or put it back for another attempt. Returns whether it is finished."""
        now = self._clock()
        if status == "failed" and rules.is_retried(
            attempts=job.attempts,
            repeatable=self._is_repeatable(job.block),
            retryable=retryable,
            options=self._options,
        ):
            self.jobs.put_back(job.job_id, text, by, now)
            return False
        self.jobs.finish(job.job_id, status, text, by, now)
        return True

    def _is_repeatable(self, block: str) -> bool:
        registration = self._registration(block)
        return registration is not None and registration.repeatable

    def _registration(self, block: str) -> RegistrationRecord | None:
        try:
            exact = parse_reference(block).exact
        except SubmissionError:  # the block of a raw item can be any text
            return None
        return None if exact is None else self.registrations.get(exact)


def _new_job(job_id: str, item: dict[str, Any], text: str) -> NewJob:
    """Fill the columns from an item. An item that was injected raw can be any object."""

    def text_of(field: str, default: str) -> str:
        value = item.get(field)
        return value if _is_storable(value) else default

    label, entity_id = item.get("stepLabel"), item.get("entityId")
    is_number = isinstance(entity_id, int | float) and abs(entity_id) <= _MAX_STORED_NUMBER
    return NewJob(
        job_id=job_id,
        block=text_of("functionBlockId", ""),
        step_label=label if _is_storable(label) else None,
        type=text_of("type", "execute"),
        run_on=text_of("runOn", "global"),
        entity_id=entity_id if is_number else None,
        item_text=text,
    )


def _is_storable(value: Any) -> TypeGuard[str]:
    """Whether a value of a raw item is text that a column can hold: any string without broken Unicode."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value


def _encoded(item: dict[str, Any]) -> str:
    try:
        return json.dumps(item, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SubmissionError(
            f"parameters or context can't be written as JSON ({type(error).__name__})"
        ) from error


def _engine_result(job: JobRecord, reason: str) -> str:
    """The result body that the engine writes for a job that its worker can no longer finish."""
    return json.dumps(
        {"jobExecutionId": job.job_id, "status": "failed", "result": {"success": False, "message": reason}}
    )
