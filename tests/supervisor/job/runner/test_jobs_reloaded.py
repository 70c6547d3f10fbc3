"""A reload while a job waits for its child: that one knows the new code, and so the job has the new block."""

from pathlib import Path

from jobs_support import ENTRY, Scene, job, scene

from supervisor.job.result import Finished
from supervisor.verdict import Cause, Verdict, refusals
from tests.patience import until

PASSWORD = "Trellis-Wagon-1842"


async def run_with_a_reload(stage: Scene, now: object, parameters: dict[str, object]) -> Finished:
    """Run a job whose block is another when its child has come, or none any more, up to its outcome."""
    stage.launcher.may_start.clear()
    offered = [ENTRY]
    running = stage.begin(job(parameters=parameters), offered=lambda: offered[-1])
    await until(lambda: "spawn_child" in stage.calls, "a child is on its way")
    offered.append(now)  # type: ignore[arg-type]  # an entry or a verdict
    stage.launcher.may_start.set()
    if not isinstance(now, Verdict):
        child = await stage.child()
        await stage.order(child)
        await stage.end(child)
    return await running


async def test_a_job_whose_block_is_gone_when_its_child_comes_is_not_run(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        gone = refusals.unknown_block(ENTRY.id, ())
        assert (await run_with_a_reload(stage, gone, {})).verdict is gone
        assert stage.calls == ["spawn_child", "give up", "close", "give back"]


async def test_a_job_has_the_limits_and_the_secrets_of_its_block_as_it_is_when_its_child_comes(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        entry = ENTRY.model_copy(update={"max_seconds": 7.0, "sensitive_parameters": (("word",),)})
        finished = await run_with_a_reload(stage, entry, {"word": PASSWORD})
        assert finished.verdict.cause is Cause.COMPLETED
        assert finished.ending.limits is not None
        assert finished.ending.limits.max_seconds == 7.0
        assert finished.mask is not None
        assert PASSWORD not in await finished.mask.text(f"with {PASSWORD}")
