"""An execution answers a job that wants a session on a device, and gives back what the job had."""

import asyncio

import pytest

from jobrunner.protocol.caps import SESSIONS_CAP
from jobrunner.protocol.messages import SessionClosed, SessionGranted, SessionWanted, to_child
from supervisor.job.device_sessions import SessionDesk
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Swept
from supervisor.lifecycle.state import Phase
from supervisor.verdict import Cause, ExitStatus, Limits
from tests.patience import until
from tests.supervisor.job.execution.execution_support import DONE, Scene

EXIT_0 = ExitStatus(code=0)


async def begun(desk: SessionDesk, pid: int) -> Scene:
    scene = Scene(Limits(max_seconds=30.0, grace_seconds=1.0), desk, pid)
    return await scene.begin()


async def granted(scene: Scene) -> int:
    message = to_child(await scene.next_frame())
    assert isinstance(message, SessionGranted)
    return message.number


async def test_jobs_are_answered_in_turn_and_a_job_that_ends_gives_its_sessions_back() -> None:
    desk = SessionDesk(1)
    first, second, third = [await begun(desk, 2**22 + number) for number in (1, 2, 3)]
    await first.say(SessionWanted(number=7, device="r1"))
    assert await granted(first) == 7
    await second.say(SessionWanted(number=1, device="r1"), SessionWanted(number=2, device="r2"))
    assert await granted(second) == 2  # the other device; what was asked for first still waits
    await third.say(SessionWanted(number=1, device="r1"))
    await first.finish(DONE, status=EXIT_0)
    assert await granted(second) == 1
    await second.say(SessionClosed(number=1))
    assert await granted(third) == 1
    await second.finish(DONE, status=EXIT_0)
    await third.finish(DONE, status=EXIT_0)


async def test_a_job_whose_process_is_gone_is_answered_no_more() -> None:
    desk = SessionDesk(1)
    first, second = [await begun(desk, 2**22 + number) for number in (1, 2)]
    await first.say(SessionWanted(number=1, device="r1"))
    assert await granted(first) == 1
    await second.say(SessionWanted(number=1, device="r1"))
    await second.finish(DONE, status=EXIT_0)
    await first.finish(DONE, status=EXIT_0)  # nobody is left to be told of the place
    third = await begun(desk, 2**22 + 3)
    await third.say(SessionWanted(number=1, device="r1"))
    assert await granted(third) == 1
    await third.finish(DONE, status=EXIT_0)


async def test_a_job_whose_child_has_exited_is_granted_nothing_while_its_tree_is_being_cleared() -> None:
    desk = SessionDesk(1)
    first, second, third = [await begun(desk, 2**22 + number) for number in (1, 2, 3)]
    await first.say(SessionWanted(number=1, device="r1"))
    assert await granted(first) == 1
    await second.say(SessionWanted(number=1, device="r1"))
    cleared = asyncio.Event()
    sweep = second.sweeper.clear

    async def clear(job: JobProcesses) -> Swept:
        await cleared.wait()
        return await sweep(job)

    second.sweeper.clear = clear  # type: ignore[method-assign,assignment]
    second.sweeper.clear_if_empty = lambda _: False  # type: ignore[method-assign]
    await until(lambda: second.child.pid in desk._send, "what it wants is heard")
    second.child.exited.set_result(EXIT_0)
    await until(lambda: second.execution._state.phase is Phase.CLEARING, "its end is seen")
    await second.say(SessionWanted(number=2, device="r1"))  # as if it had been sent before and read now
    await third.say(SessionWanted(number=1, device="r1"))
    await until(lambda: third.child.pid in desk._send, "what it wants is heard")
    await first.say(SessionClosed(number=1))
    assert await granted(third) == 1
    cleared.set()
    for scene in (first, second, third):
        await scene.finish(DONE, status=EXIT_0)


@pytest.mark.parametrize("repeats", [True, False], ids=["one number", "a number each"])
async def test_a_job_that_asks_without_end_and_reads_no_answer_is_ended(repeats: bool) -> None:
    scene = await begun(SessionDesk(0), 2**22 + 1)
    scene.stop_reading()
    for number in range(1, SESSIONS_CAP):
        if scene.running.done() or "kill" in scene.calls:
            break
        asked = 1 if repeats else number
        await scene.say(SessionWanted(number=asked, device="r"), SessionClosed(number=asked))
    finished = await scene.finish()
    assert finished.verdict.cause is Cause.BAD_FRAME
    assert "without reading the answers" in finished.verdict.message
