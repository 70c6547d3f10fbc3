"""An execution keeps what a job tells of its changes of devices, for the result of a job that is killed."""

from jobrunner.protocol.messages import DeviceChange
from supervisor.job.result import Finished
from supervisor.verdict import Limits, OpenChange
from tests.supervisor.job.execution.execution_support import SECRET, SIGKILL, Scene


async def killed_after(*said: DeviceChange) -> Finished:
    scene = await Scene(Limits(max_seconds=30.0, grace_seconds=1.0)).begin()
    return await scene.finish(*said, status=SIGKILL)


def told(number: int, stage: str, device: str = "r1", **more: float) -> DeviceChange:
    return DeviceChange(number=number, device=device, stage=stage, lines=4, **more)  # type: ignore[arg-type]


async def test_the_last_word_on_each_change_is_in_the_result_and_what_is_over_is_not() -> None:
    finished = await killed_after(
        told(1, "changing"),
        told(1, "changed"),
        told(2, "changing", "r2"),
        told(2, "restoring", "r2"),
        told(2, "over", "r2"),
        told(3, "changing", "r3", timer_seconds=60.0),
    )
    assert finished.ending.changes.told == (
        OpenChange("r3", "changing", 4, 60.0),
        OpenChange("r1", "changed", 4),
    )
    assert "A change of r3 was under way" in finished.verdict.message


async def test_the_name_of_a_device_is_masked_and_cut() -> None:
    long, half = "x" * 500, "y" * 90 + SECRET
    finished = await killed_after(told(1, "changing", f"r1 {SECRET} {long}"), told(2, "changing", half))
    assert SECRET[:8] not in finished.verdict.message
    assert all(len(change.device) <= 120 for change in finished.ending.changes.told)


async def test_of_very_many_changes_the_uncertain_ones_are_named_and_the_others_counted() -> None:
    sure = [told(number, "changed", f"r{number}") for number in range(1, 10)]
    finished = await killed_after(*sure, told(10, "changing", "r10"))
    assert [change.device for change in finished.ending.changes.told] == ["r10", "r1", "r2", "r3", "r4"]
    assert finished.ending.changes.more == 5
