"""A child that floods its channel: the rest of the worker has its turn between the frames."""

import asyncio
import itertools
import os
from typing import Any

import pytest

from jobrunner.protocol.messages import Outcome, Secret, Tick
from supervisor.job import channel as channel_module
from supervisor.job.channel import TURN_SECONDS, ChannelReader
from supervisor.lifecycle.events import ChannelChecked, JobEvent, Ticked
from supervisor.log.events.jobs import JobOutput
from supervisor.process import pipe_ends as pipe_ends_module
from supervisor.verdict import ExitStatus, Limits
from tests.log_events import records_of
from tests.patience import until
from tests.supervisor.job.execution.execution_support import DONE, Scene, begin


async def test_other_work_has_its_turn_between_the_frames_that_are_in_the_stream_at_once() -> None:
    scene = Scene(Limits(max_seconds=60, grace_seconds=1))
    await scene.child.connect()
    scene.child.channel.reader.feed_data(Tick().pack() * 1000)
    scene.child.channel.reader.feed_eof()
    events: list[JobEvent] = []
    times = (number * TURN_SECONDS / 10 for number in itertools.count(1))
    reader = ChannelReader(
        scene.child,  # type: ignore[arg-type]  # what is used of it
        scene.log,
        scene.reports,  # type: ignore[arg-type]  # as above
        events.append,
        scene.sessions,
        lambda: next(times),
    )
    reading = asyncio.ensure_future(reader.read(1000))
    read_at_each_turn: list[int] = []
    while not reading.done():
        await asyncio.sleep(0)
        read_at_each_turn.append(len(events))
    assert len([event for event in events if isinstance(event, Ticked)]) == 1000
    assert max(after - before for before, after in itertools.pairwise([0, *read_at_each_turn])) <= 11
    assert not reader.is_behind
    scene.child.close()


async def test_a_frame_that_was_waited_for_gives_no_way_as_others_had_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(Limits(max_seconds=60, grace_seconds=1))
    await scene.child.connect()
    ways: list[bool] = []
    read: list[JobEvent] = []

    async def give_way(reader: ChannelReader) -> None:
        ways.append(True)

    monkeypatch.setattr(ChannelReader, "_give_way", give_way)
    reader = ChannelReader(scene.child, scene.log, scene.reports, read.append, scene.sessions)  # type: ignore[arg-type]
    reading = asyncio.ensure_future(reader.read(1000))
    for count in range(1, 4):
        await asyncio.sleep(0.01)
        scene.child.channel.reader.feed_data(Tick().pack())
        await until(lambda count=count: len(read) == count, "the frame is read")
    scene.child.channel.reader.feed_eof()
    await reading
    assert ways == []
    scene.child.close()


async def test_a_look_tells_of_frames_that_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a loop that ticks would be taken for one that is stalled, as its ticks were not read yet."""
    looks: list[bool] = []
    monkeypatch.setattr(channel_module, "TURN_SECONDS", -1.0)
    scene = await begin()
    keep = scene.execution._loop_check._put

    def kept(event: JobEvent) -> None:
        if isinstance(event, ChannelChecked):
            looks.append(event.unread)
        keep(event)

    monkeypatch.setattr(scene.execution._loop_check, "_put", kept)
    scene.child.channel.reader.feed_data(Tick().pack() * 500)
    await asyncio.sleep(0)
    await scene.execution._loop_check._check_channel()
    await scene.finish(DONE, status=ExitStatus(code=0))
    assert looks[0] is True


async def test_what_is_printed_waits_for_the_secrets_that_were_told_before_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel_module, "TURN_SECONDS", -1.0)
    caplog.set_level("INFO", "job")
    scene = await begin()
    await scene.say(*[Tick()] * 200, Secret(value="Meadow-Lantern-77"))
    scene.printed("the word is Meadow-Lantern-77\n", stream="stdout")
    await scene.finish(DONE, status=ExitStatus(code=0))
    assert [record.getMessage() for record in records_of(caplog, JobOutput)] == ["the word is ***"]


async def test_of_a_thousand_outcomes_only_the_first_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await begin()
    masked: list[str] = []
    mask: Any = scene.log.mask
    monkeypatch.setattr(scene.log, "mask", lambda text, **cut: masked.append(text) or mask(text, **cut))
    other = Outcome(success=False, message="other", body_bytes=2)
    finished = await scene.finish(DONE, *[other] * 1000, status=ExitStatus(code=0))
    assert masked.count("other") == 0
    assert finished.ending.outcome is not None
    assert finished.ending.outcome.message == "done"


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_a_secret_that_is_told_when_a_read_has_begun_is_masked_in_the_line_that_this_read_brings(
    busy: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "job")
    scene = await begin()
    read, secrets = os.read, [f"Meadow-Lantern-{number}" for number in range(100, 130)]
    left = list(secrets)

    def told_and_printed_before(descriptor: int, most: int) -> bytes:
        if descriptor == scene.child.stdout and left:
            secret = left.pop()
            scene.child.far.send(Secret(value=secret).pack())
            os.write(scene.child.far_stdout, f"the word is {secret}\n".encode())
        return read(descriptor, most)

    async def turn() -> None:
        while busy:
            await asyncio.sleep(0)

    turning = asyncio.ensure_future(turn())
    monkeypatch.setattr(pipe_ends_module.os, "read", told_and_printed_before)
    for number in range(len(secrets)):
        scene.printed("next\n", stream="stdout")
        await until(lambda number=number: len(records_of(caplog, JobOutput)) == 2 * (number + 1))
    monkeypatch.undo()
    turning.cancel()
    await scene.finish(DONE, status=ExitStatus(code=0))
    printed = [record.getMessage() for record in records_of(caplog, JobOutput)]
    assert printed == ["next", "the word is ***"] * len(secrets)
