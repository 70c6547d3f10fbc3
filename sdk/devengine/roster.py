"""The life of workers: registered, kept online by pings, lost by silence (engine contract: worker states)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sdk.devengine import rules
from sdk.devengine.blackboard import Blackboard
from sdk.devengine.compatibility import compared_versions, incompatibilities
from sdk.devengine.errors import NotFoundError, RequestError
from sdk.devengine.identifiers import check_grammar
from sdk.devengine.options import EngineOptions
from sdk.devengine.payloads.workers import BlockRegistration, WorkerRegistration
from sdk.devengine.records import JobRecord, WorkerRecord
from sdk.devengine.store import Database


class Roster:
    """Workers and what they offer. Each method is one transaction. It is committed when the method returns."""

    def __init__(
        self, database: Database, options: EngineOptions, clock: Callable[[], float], blackboard: Blackboard
    ) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        self._blackboard = blackboard
        self._workers = blackboard.workers
        self._registrations = blackboard.registrations

    def register(self, body: WorkerRegistration) -> WorkerRecord:
        """Create a worker; every call makes a new one with a fresh uuid (contract W2)."""
        identity = str(uuid.uuid4())
        with self._database.transaction():
            self._workers.insert(identity, body.version, body.name, body.ip_address, self._clock())
            return self.worker(identity)

    def worker(self, identity: str, *, with_deleted: bool = False) -> WorkerRecord:
        """Return a worker. Raises `NotFoundError` for an unknown or deleted one."""
        worker = self._workers.get(identity, with_deleted=with_deleted)
        if worker is None:
            raise NotFoundError("the engine does not know this worker; register it")
        return worker

    def ping(self, identity: str) -> None:
        """Set a worker online, even one that was offline or unregistered. Raises `NotFoundError`."""
        with self._database.transaction():
            self.worker(identity)
            self._workers.record_ping(identity, self._clock())

    def unregister(self, identity: str) -> None:
        """Set a worker offline at once and keep its blocks. Raises `NotFoundError`."""
        with self._database.transaction():
            self.worker(identity)
            self._workers.unregister(identity, self._clock())

    def delete(self, identity: str) -> None:
        """Soft-delete a worker: it must register again. Raises `NotFoundError`."""
        with self._database.transaction():
            self.worker(identity)
            self._workers.delete(identity, self._clock())

    def register_block(self, body: BlockRegistration) -> None:
        """Store a block that is new, or compatible with the stored ones. Raises `RequestError`."""
        block = body.block
        check_grammar(block, self._options.id_grammar)
        with self._database.transaction():
            if body.worker_id is not None and self._workers.get(body.worker_id) is None:
                raise RequestError("workerId: the engine does not know this worker; register it first")
            parameters, result = body.parameter_json_schema, body.result_data_json_schema
            stored = self._registrations.named(block.package, block.name)
            reasons = [
                reason
                for record in compared_versions(block, stored)
                for reason in incompatibilities(parameters, result, record)
            ]
            if reasons and not self._options.schemas_may_change:
                raise RequestError(f"{block} is not compatible with what is registered", *reasons)
            content = body.model_dump(by_alias=True, exclude={"worker_id"}, exclude_none=True)
            self._registrations.put(block, content, body.worker_id, self._clock())

    def excuse(self, seconds: float) -> None:
        """Don't count so much time as a worker's silence: the engine did not run, or its clock was set ahead."""
        with self._database.transaction():
            self._workers.excuse(seconds)
            self._blackboard.jobs.excuse(seconds)

    def check(self) -> None:
        """Check every worker and claimed job once: this is the engine's background check."""
        now = self._clock()
        with self._database.transaction():
            for worker in self._workers.all():
                self._check_worker(worker, now)
        claimed = self._blackboard.jobs.all("polled")
        self._blackboard.fail([(job, reason) for job in claimed if (reason := self._loss_of(job, now))])

    def _check_worker(self, worker: WorkerRecord, now: float) -> None:
        if rules.is_deletable(worker.state, now - worker.last_seen_at, self._options):
            self._workers.delete(worker.uuid, now)
            return
        state = rules.state_after_silence(worker.state, now - worker.last_ping_at, self._options)
        if state is not worker.state:
            self._workers.set_state(worker.uuid, state, now)

    def _loss_of(self, job: JobRecord, now: float) -> str | None:
        """Return why the engine gives a claimed job up, or None if it may still end by itself."""
        worker = self._workers.get(job.worker_id or "")
        if worker is None or worker.state is rules.WorkerState.OFFLINE:
            return f"worker {job.worker_id} went offline while it held the job"
        if job.claimed_at is not None and rules.is_stuck(now - job.claimed_at, self._options):
            return f"the job was claimed more than {self._options.stuck_seconds:g} s ago and has no result"
        return None
