"""A dispatcher with a real ledger and a real delivery. What runs jobs, the engine and the clock are the test's."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jobrunner.protocol.catalogue import BlockEntry, Catalogue
from supervisor.errors import EngineError
from supervisor.job.job import Job
from supervisor.job.result import Finished
from supervisor.journal import Claim, Ledger, Saving, StoredResult
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import Cause, Ending, ExitStatus, Usage, Verdict
from supervisor.watch.joblog import LineHearer
from supervisor.worker.delivery import Delivery
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.job_records import JobRecords
from supervisor.worker.observer import NOBODY, Observer
from tests.patience import until

BLOCK = "acme/block:1.0.0"
SETTINGS = RunSettings.model_construct(max_job_seconds=10.0, grace_seconds=5.0)


def block_entry(block_id: str = BLOCK, **changes: Any) -> BlockEntry:
    package, _, rest = block_id.partition("/")
    values: dict[str, Any] = {
        "id": block_id,
        "package": package,
        "name": rest.partition(":")[0],
        "version": (1, 0, 0),
        "description": "",
        "run_on": "global",
        "fb_type": "execute",
        "help_text": "",
        "deprecated": False,
        "is_idempotent": False,
        "is_pure": False,
        "reversible": False,
        "parameter_schema": {},
        "result_schema": {},
        "max_seconds": None,
        "max_memory_mb": None,
        "module": "acme",
        "file": None,
        "line": None,
    }
    return BlockEntry(**values | changes)


def job(job_id: str, block_id: str = BLOCK, **parameters: object) -> Job:
    return Job(job_id, block_id, "execute", "global", parameters, {})


def success(body: bytes = b"", acquires: bytes = b"") -> Finished:
    verdict = Verdict(success=True, cause=Cause.COMPLETED, message="done", keeps_outcome=True)
    return Finished(verdict, Ending(Usage(1.0)), body, acquires)


def cancelled() -> Finished:
    return Finished(Verdict(success=False, cause=Cause.CANCELLED, message="cancelled"), Ending(Usage(1.0)))


def crash() -> Finished:
    ending = Ending(Usage(1.0), exit_status=ExitStatus(signal_name="SIGSEGV"))
    return Finished(Verdict(success=False, cause=Cause.CRASHED, message="crashed"), ending)


class Runner:
    """Ends a job when the test says how. Each has a child of its own, unless `starts` is off."""

    def __init__(self, calls: list[tuple[str, object]]) -> None:
        self.settings = SETTINGS
        self.running: dict[str, asyncio.Future[Finished]] = {}
        self.started: list[str] = []
        self.cancelled: list[str] = []
        self.gone: dict[str, Callable[[], None]] = {}
        """What each job's run is to call when nothing of it is left, where it was stuck."""
        self.on_line: dict[str, LineHearer | None] = {}
        self.on_outcome: dict[str, Callable[[Finished], None]] = {}
        self.offered: dict[str, Callable[[], BlockEntry | Verdict]] = {}
        self.starts = True
        self.room: int | None = None
        self.problem: str | None = None
        self.tidied: list[str] = []
        """The jobs after which it was asked to tidy up."""
        self.untidy: asyncio.Event | None = None
        """Set when what the jobs have left is removed, where a test wants to be told to wait for it."""
        self._calls = calls

    def pid_of(self, job_id: str) -> int:
        """The number of the child of a job's first run."""
        return 5000 + self.started.index(job_id)

    async def run(
        self,
        job: Job,
        block: BlockEntry,
        on_start: Callable[[int], None],
        on_gone: Callable[[], None],
        on_line: LineHearer | None,
        before_begin: Callable[[], Awaitable[None]],
        on_outcome: Callable[[Finished], None],
        offered: Callable[[], BlockEntry | Verdict],
    ) -> Finished:
        self.on_outcome[job.job_id] = on_outcome
        self.offered[job.job_id] = offered
        await before_begin()
        self.started.append(job.job_id)
        self.gone[job.job_id] = on_gone
        self.on_line[job.job_id] = on_line
        if self.starts:
            on_start(self.pid_of(job.job_id))
        self._calls.append(("run", job.job_id))
        ending = self.running[job.job_id] = asyncio.get_running_loop().create_future()
        try:
            return await ending
        finally:
            del self.running[job.job_id]

    def view(self, job_id: str) -> None:
        return

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)

    def stop_all(self) -> None:
        self._calls.append(("stop all", None))

    def forget(self, job_id: str) -> None:
        self.cancelled = [each for each in self.cancelled if each != job_id]

    async def wait_until_tidy(self, job_id: str) -> None:
        self.tidied.append(job_id)
        if self.untidy is not None:
            await self.untidy.wait()


class Engine:
    """Takes results, once it is there."""

    knows_retryable = True

    def __init__(self) -> None:
        self.is_away = False
        self.tries = 0
        self.got: list[dict[str, Any]] = []

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.tries += 1
        if self.is_away:
            raise EngineError("away")
        self.got.append(json.loads(text))
        return True

    def results_of(self, job_id: str) -> list[dict[str, Any]]:
        return [text for text in self.got if text["jobExecutionId"] == job_id]


class RecordedLedger(Ledger):
    """A ledger that says in `calls` what was asked of it, when it was done."""

    calls: list[tuple[str, object]]

    def begin_to_claim(self, claims: Sequence[Claim]) -> tuple[list[int], Saving]:
        self.calls.append(("claim", [claim.job_id for claim in claims]))
        return super().begin_to_claim(claims)

    async def store_result(self, number: int, text: bytes) -> None:
        await super().store_result(number, text)
        self.calls.append(("store", json.loads(text)["jobExecutionId"]))


class RecordedDelivery(Delivery):
    """A delivery that says in `calls` what it was given."""

    calls: list[tuple[str, object]]

    def submit(self, result: StoredResult) -> None:
        self.calls.append(("submit", result.job_id))
        super().submit(result)

    def supersede(self, job_ids: Collection[str]) -> None:
        self.calls.append(("supersede", sorted(job_ids)))
        super().supersede(job_ids)


class Scene:
    """The dispatcher, all that is around it, and what was called, in order."""

    def __init__(
        self,
        ledger: RecordedLedger,
        *,
        slots: int,
        engine_job_timeout_seconds: float,
        observer: Observer,
        blocks: tuple[BlockEntry, ...],
        records: JobRecords | None,
    ) -> None:
        self.calls: list[tuple[str, object]] = []
        self.now = 1000.0
        self.ledger, self.engine, self.runner = ledger, Engine(), Runner(self.calls)
        self.delivery = RecordedDelivery(self.engine, ledger, observer=observer)
        ledger.calls = self.delivery.calls = self.calls
        self.dispatcher = Dispatcher(
            self.runner,  # type: ignore[arg-type]  # what is used of it
            ledger,
            self.delivery,
            self.engine,
            Catalogue(blocks=blocks),
            slots=slots,
            engine_job_timeout_seconds=engine_job_timeout_seconds,
            clock=lambda: self.now,
            observer=observer,
            records=records,
        )

    async def accept(self, *items: Any, limit: int = 99, arrival_seconds: float = 0.0) -> None:
        await self.dispatcher.accept(items, "w-1", limit, arrival_seconds)

    async def end(self, job_id: str, how: Finished | Exception) -> None:
        """End a job as soon as it runs, and wait until its slot is free."""
        await until(lambda: job_id in self.runner.running, f"job {job_id} runs")
        busy = self.dispatcher.busy
        future = self.runner.running[job_id]
        if isinstance(how, Exception):
            future.set_exception(how)
        else:
            future.set_result(how)
        await until(lambda: self.dispatcher.busy < busy, f"job {job_id} is over")

    async def result_of(self, job_id: str) -> dict[str, Any]:
        """Return the only result that the engine gets for a job."""
        await until(lambda: self.engine.results_of(job_id), f"the engine has the result of {job_id}")
        (text,) = self.engine.results_of(job_id)
        return text


@asynccontextmanager
async def scene(
    directory: Path,
    *,
    slots: int = 1,
    engine_job_timeout_seconds: float = 100.0,
    observer: Observer = NOBODY,
    blocks: tuple[BlockEntry, ...] | None = None,
    records: JobRecords | None = None,
) -> AsyncIterator[Scene]:
    ledger = await RecordedLedger.open(directory)
    made = Scene(
        ledger,
        slots=slots,
        engine_job_timeout_seconds=engine_job_timeout_seconds,
        observer=observer,
        blocks=blocks or (block_entry(),),
        records=records,
    )
    try:
        yield made
    finally:
        for task in [task for task in asyncio.all_tasks() if task.get_name().startswith("job ")]:
            task.cancel()
        await made.delivery.close()
        await ledger.close()
