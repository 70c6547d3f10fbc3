"""Answers to polls, through parsing, claim, slot and child to the text of each result."""

import asyncio
import contextlib
import json
import os
import random
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

from jobrunner.protocol.caps import ORDER_CAP_BYTES
from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.exit_codes import BROKEN
from jobrunner.protocol.frames import FrameError, read_frame
from jobrunner.protocol.messages import Begin, Order, Outcome, to_child
from supervisor.engine.http import Answer
from supervisor.engine.items import MalformedJob, parse_items
from supervisor.errors import EngineError
from supervisor.job.runner import JobRunner
from supervisor.journal import Ledger, StoredResult
from supervisor.launcher.known_children import KnownChildren
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import ExitStatus
from supervisor.worker.dispatch import Dispatcher
from tests.programs.fuzz.fakes import FakeChild, NothingToSweep, block_entry
from tests.programs.fuzz.fuzzer import Fuzzer
from tests.programs.fuzz.measuring import not_measured
from tests.programs.fuzz.mutating import any_value, as_json, nested

_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
_MESSAGE_MOST_CHARS = 4000
_GOOD: dict[str, Any] = {
    "functionBlockId": "fuzz/echo:1.0.0", "jobId": "fuzzed", "stepLabel": "step", "type": "execute", "runOn": "global",
    "entityId": 7, "parameters": {"text": "hello", "password": "Fuzz-Secret-55"},
    "context": {"devices": [{"id": 1, "password": "Fuzz-Secret-66"}], "deviceGroups": [], "interfaces": []},
}  # fmt: skip


class FakeLauncher:
    """Has children that answer every order with a success."""

    def __init__(self) -> None:
        self.known_children = KnownChildren()
        self.orders: list[str] = []

    async def spawn_child(self, *, rehearses: bool = True) -> FakeChild:
        child = await FakeChild().connect()
        task = asyncio.ensure_future(self._live(child))
        child.exited.add_done_callback(lambda _: task.cancel())
        return child

    async def _live(self, child: FakeChild) -> None:
        far = child.far.dup()
        reader, writer = await asyncio.open_connection(sock=far)
        try:
            ordered = await read_frame(reader, 0)
            frame = None if ordered is None else await read_frame(reader, ORDER_CAP_BYTES)
            if ordered is None or frame is None:
                return
            order = to_child(ordered)
            assert isinstance(order, Order)
            assert isinstance(to_child(frame), Begin)
            json.loads(frame.payload)
            self.orders.append(order.job_id)
            await child.send(Outcome(success=True, message="Done", body_bytes=2).pack(b"{}"))
            child.end(ExitStatus(code=0))
        except FrameError:
            child.end(ExitStatus(code=BROKEN))
            raise
        finally:
            writer.transport.abort()

    def drain_starts(self) -> frozenset[int]:
        return frozenset()


class JobLists(Fuzzer):
    """A worker without an engine and without processes; all between is real."""

    at_once = 1

    async def __aenter__(self) -> Self:
        directory = Path(
            self.started.enter_context(tempfile.TemporaryDirectory(prefix="neops-fuzz-", dir=_MEMORY))
        )
        self.launcher: Any = FakeLauncher()
        self.results: list[StoredResult] = []
        settings = RunSettings.model_construct(
            max_job_seconds=10.0, grace_seconds=0.0, max_job_processes=None
        )
        runner = JobRunner(self.launcher, settings, directory / "jobs", spares=2)
        runner._sweeper = NothingToSweep()  # this process may be pytest, whose children are not to be touched
        await runner.prepare()
        self.started.push_async_callback(runner.close)
        self.journal = await Ledger.open(directory)
        self.started.push_async_callback(self.journal.close)
        sink: Any = self
        self.dispatcher = Dispatcher(
            runner,
            self.journal,
            sink,
            sink,
            Catalogue(blocks=(block_entry(),)),
            slots=4,
            engine_job_timeout_seconds=720,
        )
        return self

    knows_retryable = True

    def supersede(self, job_ids: Collection[str]) -> None:
        """No result waits here."""

    def submit(self, result: StoredResult) -> None:
        """Take what would be delivered."""
        self.results.append(result)

    async def check(self, rng: random.Random) -> None:
        """See `Fuzzer.check`."""
        with not_measured():
            items = [_item(rng) for _ in range(rng.choice((0, 1, 1, 2, 4)))]
            items.insert(rng.randint(0, len(items)), json.dumps(_GOOD | {"jobId": "good"}).encode())
        await self.check_answer(b"[" + b",".join(items) + b"]")

    async def check_answer(self, body: bytes) -> None:
        """Have a poll answered by `body`. The job `good` in it must run, whatever is beside it."""
        self.results.clear()
        self.launcher.orders.clear()
        try:
            found = Answer(200, body).json("the poll")
        except EngineError:
            if not _is_broken(body):
                raise
            return
        jobs = parse_items(found)
        await self.dispatcher.accept(jobs, "uuid", len(jobs))
        await self.dispatcher.wait_until_idle()
        texts = {result.job_id: result.text for result in self.results}
        assert len(texts) == len(self.results), "two results for one job"
        assert texts.keys() == {job.job_id for job in jobs if job.job_id is not None}
        for text in texts.values():
            result = json.loads(text)["result"]
            assert len(result["message"]) <= _MESSAGE_MOST_CHARS, (
                f"a message of {len(result['message'])} characters"
            )
            assert "Fuzz-Secret" not in result["message"], "a secret in the message"
            text.decode()
            result["message"].encode()
        for job in jobs:
            if isinstance(job, MalformedJob) and job.job_id is not None:
                assert (
                    json.loads(texts[job.job_id])["result"]["success"] is False
                    or job.job_id in self.launcher.orders
                )
        assert json.loads(texts["good"])["result"]["success"] is True, "the neighbour did not run"
        for result in self.results:
            self.journal.forget(result.number)


def _item(rng: random.Random) -> bytes:
    good = _GOOD | {"jobId": f"fuzzed-{rng.randrange(3)}"}
    match rng.randrange(8):
        case 0:
            return as_json(rng, any_value(rng))
        case 1:
            deep = b"[" * rng.choice((150, 198, 201, 900))
            return (
                json.dumps(good | {"parameters": {"deep": "HERE"}})
                .encode()
                .replace(b'"HERE"', deep + b"]" * len(deep))
            )
        case 2:
            field = rng.choice(list(good))
            return json.dumps(
                good | {field: rng.choice(("x" * 300_000, [0] * 5000, {str(n): n for n in range(5000)}))}
            ).encode()
        case 3:
            secrets = [{"password": f"secret-{number:06}"} for number in range(rng.choice((10, 1000)))]
            return json.dumps(good | {"context": {"devices": secrets}}).encode()
        case 4 | 5:
            return as_json(rng, nested(rng, nested(rng, good)))
        case _:
            return as_json(rng, nested(rng, good))


def _is_broken(body: bytes) -> bool:
    """Whether nobody could read this."""
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body)
        return False
    return True
