"""A dead letter that is sent again is of an earlier try: it must not become the result of a newer one (I8)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.errors import EngineError
from supervisor.journal import offline
from supervisor.log.events.results import DeadLetterRetried, ResultSuperseded
from tests.log_events import told
from tests.patience import until
from tests.supervisor.journal.journal_support import FILE, claim, raw
from tests.supervisor.worker.delivery.delivery_support import LedgerWithDelivery


class Engine:
    """Keeps the first result of each job, or is behind a proxy that refuses everything."""

    knows_retryable = True

    def __init__(self) -> None:
        self.is_closed = True
        self.got: list[str] = []

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        if self.is_closed:
            raise EngineError("Too large.", status=413, said="no")
        self.got.append(json.loads(text)["jobExecutionId"] + " " + json.loads(text).get("of", "failed"))
        return True


class Scene(LedgerWithDelivery[Engine]):
    """With results that become dead letters, and are sent again."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, Engine())

    async def claim(self, job_id: str, at: float) -> int:
        self.delivery.supersede({job_id})
        (number,) = await self.ledger.claim([replace(claim(job_id), claimed_at=at)])
        return number

    async def finish(self, number: int, job_id: str, of: str) -> None:
        await self.ledger.store_result(number, json.dumps({"jobExecutionId": job_id, "of": of}).encode())
        result = self.ledger.result(number)
        assert result is not None
        self.delivery.submit(result)
        assert await self.delivery.wait_until_delivered(20)

    def retry_all(self) -> None:
        dead = raw(self.directory, "SELECT number FROM claims WHERE dead_reason IS NOT NULL")
        assert offline.requeue(self.directory / FILE, [int(str(number)) for (number,) in dead]) == len(dead)

    def dead(self) -> list[tuple[object, ...]]:
        return raw(self.directory, "SELECT number FROM claims WHERE dead_reason IS NOT NULL ORDER BY number")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Jobs "again" and "other" have each a result and a failed one in its place (1 to 4) that a proxy has refused."""
    scene = Scene(tmp_path)
    await scene.begin()
    for job_id in ("again", "other"):
        await scene.finish(await scene.claim(job_id, 1.0), job_id, "the first try")
    assert scene.dead() == [(1,), (2,), (3,), (4,)]
    scene.engine.is_closed = False
    yield scene
    await scene.end()


async def test_a_dead_letter_that_is_retried_while_its_job_runs_anew_is_not_sent_and_stays_one(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    number = await scene.claim("again", 2.0)
    scene.retry_all()
    await until(lambda: len(scene.engine.got) >= 2, "those of the other job are sent")
    await until(lambda: len(scene.dead()) == 2, "the others are dead letters again")
    assert await scene.delivery.wait_until_delivered(20)
    assert scene.engine.got == ["other the first try", "other failed"]
    assert scene.dead() == [(1,), (2,)]
    assert told(caplog, ResultSuperseded) == [
        {"job": "again", "dead_letter": 1, "claim": number},
        {"job": "again", "dead_letter": 2, "claim": number},
    ]
    assert [each["dead_letter"] for each in told(caplog, DeadLetterRetried)] == [3, 4]
    ((reason,),) = raw(scene.directory, "SELECT dead_reason FROM claims WHERE number = 1")
    assert f"claim {number}" in str(reason)
    # The new try has its own result.
    await scene.finish(number, "again", "the second try")
    assert scene.engine.got[2:] == ["again the second try"]
    # What is retried then is no other try's, as far as this worker knows.
    scene.retry_all()
    await until(lambda: len(scene.engine.got) == 5, "they are sent")
    assert len(told(caplog, ResultSuperseded)) == 2


async def test_a_job_that_is_claimed_anew_between_the_retry_and_the_sending_gets_no_result_of_its_last_try(
    scene: Scene,
) -> None:
    recover = scene.ledger.on_found

    async def after_a_claim() -> None:
        await scene.claim("again", 2.0)
        await recover()

    scene.ledger.on_found = after_a_claim
    scene.retry_all()
    await until(lambda: len(scene.engine.got) >= 2, "those of the other job are sent")
    await until(lambda: scene.dead() == [(1,), (2,)], "the others are dead letters again")
    assert scene.engine.got == ["other the first try", "other failed"]


@pytest.mark.parametrize("has_result", [False, True])
async def test_a_start_sends_no_dead_letter_that_was_retried_meanwhile_where_its_job_was_claimed_again(
    scene: Scene, has_result: bool
) -> None:
    number = await scene.claim("again", 2.0)
    if has_result:
        await scene.ledger.store_result(number, b'{"jobExecutionId": "again", "of": "the second try"}')
    await scene.end()
    scene.retry_all()
    await scene.begin()
    assert await scene.delivery.wait_until_delivered(20)
    sent = [text for text in scene.engine.got if text.startswith("again")]
    assert sent == ["again the second try" if has_result else "again failed"]  # as its worker was restarted
    assert scene.dead() == [(1,), (2,)]
