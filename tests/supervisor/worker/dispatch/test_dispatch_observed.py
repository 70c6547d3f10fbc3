"""Whoever counts learns of each job once: its claim, its slot, its child, its end, and its result's way."""

from pathlib import Path

from dispatch_support import BLOCK, job, scene, success

from tests.observed import Observed
from tests.patience import until


async def test_each_step_of_a_job_is_told_once_with_what_it_took(tmp_path: Path) -> None:
    observed = Observed()
    async with scene(tmp_path, observer=observed) as made:
        await made.accept(job("j-1"), job("j-2"))
        await until(lambda: made.runner.started == ["j-1"], "the first job runs")
        made.now += 7.0
        finished = success()
        await made.end("j-1", finished)
        await made.result_of("j-1")
        await until(lambda: made.runner.started == ["j-1", "j-2"], "the second job runs")
        assert [told for told in observed.told if not told[0].startswith("result")] == [
            ("claimed", 2),
            ("queued", 0.0),
            ("started", 0.0),
            ("ended", BLOCK, finished),
            ("queued", 7.0),
            ("started", 0.0),
        ]


async def test_a_job_that_is_not_run_is_told_with_its_cause_and_a_bug_of_the_worker_as_an_end(
    tmp_path: Path,
) -> None:
    observed = Observed()
    async with scene(tmp_path, observer=observed) as made:
        await made.accept(job("j-1", "acme/unknown:1.0.0"), job("j-2"))
        await made.end("j-2", RuntimeError("a bug"))
        assert ("not_run", "acme/unknown:1.0.0", "unknown_block") in observed.told
        ((_, block_id, finished),) = [told for told in observed.told if told[0] == "ended"]
        assert (block_id, finished.verdict.cause.value) == (BLOCK, "worker_error")


async def test_a_result_waits_from_its_first_try_until_the_engine_has_it(tmp_path: Path) -> None:
    observed = Observed()
    async with scene(tmp_path, observer=observed) as made:
        made.engine.is_away = True
        await made.accept(job("j-1"))
        await made.end("j-1", success())
        await until(lambda: ("result_try_failed",) in observed.told, "a try has failed")
        assert "result_settled" not in [told[0] for told in observed.told]
        made.engine.is_away = False
        await until(lambda: observed.told[-1][0] == "result_settled", "the result is delivered")
        (waits,) = [told for told in observed.told if told[0] == "result_waits"]
        assert observed.told[-1] == ("result_settled", waits[1])
