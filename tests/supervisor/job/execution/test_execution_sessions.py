"""An execution answers a job that wants a session on a device, and gives back what the job had."""

from jobrunner.protocol.messages import SessionClosed, SessionGranted, SessionWanted, to_child
from supervisor.job.device_sessions import SessionDesk
from supervisor.verdict import ExitStatus, Limits
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
