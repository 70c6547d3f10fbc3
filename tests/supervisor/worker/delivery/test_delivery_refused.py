"""A result that the engine refuses for good: a failed one takes its place, once, and the refused one is kept (I8)."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.engine.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.job.result import not_run, result_text
from supervisor.log.events.results import (
    DeadLetterNotTaken,
    FailedResultRefused,
    RefusedAgain,
    ResultArrivedBefore,
    ResultRefused,
    ResultsNotAllowed,
)
from supervisor.verdict import Cause, Verdict
from supervisor.worker.outbox import Outbox
from supervisor.worker.result_answers import SMALL_BYTES, TRIES_WHEN_UNCLEAR
from tests.log_events import told
from tests.patience import until
from tests.supervisor.journal.journal_support import claim, raw
from tests.supervisor.worker.delivery.delivery_support import LedgerWithDelivery

LARGE = 20 * SMALL_BYTES


class Engine:
    """An engine that keeps the first result of each job, and refuses what the test says."""

    knows_retryable = True

    def __init__(self) -> None:
        self.refusal: Callable[[bytes], EngineError | None] = lambda text: None
        self.has: dict[str, dict[str, Any]] = {}
        self.tries: list[tuple[str, int]] = []

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        await asyncio.sleep(0)
        parsed = json.loads(text)
        job_id = parsed["jobExecutionId"]
        self.tries.append((job_id, len(text)))
        if (error := self.refusal(text)) is not None:
            raise error
        if job_id in self.has:
            return False
        self.has[job_id] = parsed
        return True


class Scene(LedgerWithDelivery[Engine]):
    """A ledger, an engine, and the delivery between them."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, Engine(), quick)

    async def finish(self, job_id: str, size: int = 0) -> int:
        (number,) = await self.ledger.claim([claim(job_id)])
        await self.ledger.store_result(number, success(job_id, size))
        result = self.ledger.result(number)
        assert result is not None
        self.delivery.submit(result)
        return number

    def tries_of(self, job_id: str) -> int:
        return sum(name == job_id for name, _ in self.engine.tries)

    def rows(self) -> list[tuple[object, ...]]:
        return raw(
            self.directory, "SELECT number, dead_reason IS NOT NULL, replaced_by FROM claims ORDER BY number"
        )


def quick() -> Outbox:
    return Outbox(new_backoff=lambda: Backoff(first_seconds=0.01, longest_seconds=0.02))


def success(job_id: str, size: int = 0) -> bytes:
    verdict = Verdict(success=True, cause=Cause.COMPLETED, message="x" * size)
    return result_text(job_id, not_run(verdict), knows_retryable=True)


def refusing(
    status: int, said: str | None = "no", *, above: int = SMALL_BYTES
) -> Callable[[bytes], EngineError | None]:
    def refusal(text: bytes) -> EngineError | None:
        error = EngineError(f"The engine answered a result with {status}: 'no'.", status=status, said=said)
        return error if len(text) > above else None

    return refusal


async def scene_in(directory: Path) -> Scene:
    scene = Scene(directory)
    await scene.begin()
    return scene


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_the_engine_gets_a_small_failed_result_that_says_what_happened_and_the_refused_one_is_kept(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    scene = await scene_in(tmp_path)
    await scene.ledger.remember("worker_uuid", "w-77")
    scene.engine.refusal = refusing(status)
    number = await scene.finish("job", LARGE)
    assert await scene.delivery.wait_until_delivered(20)
    result = scene.engine.has["job"]
    assert (result["status"], result["result"]["success"], result["result"]["retryable"]) == (
        "failed",
        False,
        False,
    )
    message = result["result"]["message"]
    for part in (
        f"answered a result with {status}",
        f"{len(success('job', LARGE))} bytes",
        "(success)",
        "w-77",
    ):
        assert part in message
    assert f"`supervisor journal show {number}`" in message
    assert scene.engine.tries[-1][1] < 2000
    assert len(scene.engine.tries) == 2
    assert [each["dead_letter"] for each in told(caplog, ResultRefused)] == [number]
    await scene.end()
    assert raw(tmp_path, "SELECT number, result FROM claims") == [(number, success("job", LARGE))]


async def test_at_each_moment_the_file_alone_has_a_result_to_send_or_one_that_was_refused(
    tmp_path: Path,
) -> None:
    """The worker is killed between any two of the steps: its next start gives the job one result."""
    here, copies = tmp_path / "here", []
    scene = await scene_in(here)
    scene.engine.refusal = refusing(413)
    push = scene.engine.push_result

    async def watched(text: bytes, *, fresh: bool = False) -> bool:
        copies.append(copy_of(here, tmp_path / f"before-{len(copies)}"))
        try:
            return await push(text)
        finally:
            copies.append(copy_of(here, tmp_path / f"after-{len(copies)}"))

    scene.engine.push_result = watched  # type: ignore[method-assign]
    number = await scene.finish("job", LARGE)
    assert await scene.delivery.wait_until_delivered(20)
    await scene.end()
    assert len(copies) == 4
    for step, place in enumerate(copies):
        again = Scene(place)
        again.engine.refusal = refusing(413)
        if step == 3:  # the engine has it, and nobody knows
            again.engine.has["job"] = scene.engine.has["job"]
        await again.begin()
        assert await again.delivery.wait_until_delivered(20)
        assert again.engine.has["job"]["status"] == "failed"
        assert len(again.engine.tries) == (2 if step < 2 else 1)
        await again.end()
        assert again.rows() == [(number, 1, number + 1)]


def copy_of(directory: Path, place: Path) -> Path:
    shutil.copytree(directory, place)
    return place


async def test_a_failed_result_that_is_refused_too_is_a_dead_letter_and_the_end_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = await scene_in(tmp_path)
    scene.engine.refusal = refusing(413, above=0)
    number = await scene.finish("job", LARGE)
    assert await scene.delivery.wait_until_delivered(20)
    assert len(scene.engine.tries) == 2
    assert [each["dead_letter"] for each in told(caplog, FailedResultRefused)] == [number + 1]
    await scene.end()
    await scene.begin()  # nor does a restart begin anew
    assert await scene.delivery.wait_until_delivered(20)
    assert len(scene.engine.tries) == 2
    # Once the proxy is mended, it is sent as asked.
    scene.engine.refusal = lambda text: None
    raw(tmp_path, "UPDATE claims SET dead_reason = NULL WHERE number = ?", number + 1)
    await until(lambda: "job" in scene.engine.has, "it is sent again")
    assert scene.engine.has["job"]["status"] == "failed"
    await scene.end()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_dead_letter_that_is_sent_again_does_not_count_and_is_kept_where_the_engine_has_the_failed_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, restarted: bool
) -> None:
    scene = await scene_in(tmp_path)
    scene.engine.refusal = refusing(413)
    number = await scene.finish("job", LARGE)
    assert await scene.delivery.wait_until_delivered(20)
    scene.engine.refusal = lambda text: None
    if restarted:
        await scene.end()
    raw(tmp_path, "UPDATE claims SET dead_reason = NULL WHERE number = ?", number)
    if restarted:
        await scene.begin()
    await until(lambda: told(caplog, DeadLetterNotTaken), "it is told")
    assert told(caplog, DeadLetterNotTaken) == [{"job": "job", "dead_letter": number}]
    assert told(caplog, ResultArrivedBefore) == []
    assert scene.engine.has["job"]["status"] == "failed"
    await scene.end()
    assert scene.rows() == [(number, 1, number + 1)]


async def test_a_dead_letter_that_is_refused_again_gets_no_second_result_in_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = await scene_in(tmp_path)
    scene.engine.refusal = refusing(413)
    number = await scene.finish("job", LARGE)
    assert await scene.delivery.wait_until_delivered(20)
    raw(tmp_path, "UPDATE claims SET dead_reason = NULL WHERE number = ?", number)
    await until(lambda: told(caplog, RefusedAgain), "it is told")
    assert await scene.delivery.wait_until_delivered(20)
    assert len(scene.engine.tries) == 3
    await scene.end()
    assert scene.rows() == [(number, 1, number + 1)]


@pytest.mark.parametrize("status", [401, 403, 404, 407])
async def test_what_is_said_of_the_worker_and_not_of_the_result_never_makes_it_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    scene = await scene_in(tmp_path)
    scene.engine.refusal = refusing(status, above=0)
    for job_id in "ab":
        await scene.finish(job_id, LARGE)
    await until(lambda: len(scene.engine.tries) > 12, "it is tried again and again")
    denied = told(caplog, ResultsNotAllowed)
    assert len(denied) == (0 if status == 404 else 1)
    if denied:
        assert ("--engine-token-file" if status != 407 else "HTTP_PROXY") in denied[0]["advice"]
    scene.engine.refusal = lambda text: None
    assert await scene.delivery.wait_until_delivered(20)
    assert [scene.engine.has[job_id]["status"] for job_id in "ab"] == ["success"] * 2
    await until(lambda: scene.rows() == [], "they have left the journal")
    await scene.end()


async def test_a_proxy_s_page_is_no_refusal_until_others_get_through(tmp_path: Path) -> None:
    scene = await scene_in(tmp_path)
    scene.engine.refusal = refusing(400, None, above=0)
    await scene.finish("marked", LARGE)
    await until(lambda: len(scene.engine.tries) > 3 * TRIES_WHEN_UNCLEAR, "it is tried again and again")
    assert scene.rows() == [(1, 0, None)]
    scene.engine.refusal = refusing(400, None)
    for count in range(TRIES_WHEN_UNCLEAR - 1):  # its first refusal counts too
        job_id = str(count)
        await scene.finish(job_id)
        await until(lambda job_id=job_id: job_id in scene.engine.has, "another got through")  # type: ignore[misc]
        tries = scene.tries_of("marked")
        await until(
            # It may have been tried already, for the last time.
            lambda tries=tries: scene.tries_of("marked") > tries or "marked" in scene.engine.has,  # type: ignore[misc]
            "it was tried again",
        )
    assert await scene.delivery.wait_until_delivered(20)
    assert scene.engine.has["marked"]["status"] == "failed"
    await scene.end()


async def test_a_job_that_is_handed_out_anew_gets_no_failed_result_of_its_last_try(tmp_path: Path) -> None:
    scene = await scene_in(tmp_path)
    scene.engine.refusal = refusing(413)
    store = scene.ledger.replace_refused

    async def slowly(number: int, reason: str, text: bytes) -> Any:
        stored = await store(number, reason, text)
        scene.delivery.supersede({"job"})
        return stored

    scene.ledger.replace_refused = slowly  # type: ignore[method-assign]
    await scene.finish("job", LARGE)
    assert await scene.delivery.wait_until_delivered(20)
    assert len(scene.engine.tries) == 1
    await scene.end()
    assert scene.rows() == []
