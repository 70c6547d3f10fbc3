"""Events of a job are handled where they arise, in their order, and their failure is that of whoever runs the job."""

import asyncio

import pytest

from supervisor.job.events_in_turn import EventsInTurn
from supervisor.lifecycle.events import CancelDemanded, Conclude, JobEvent, StopDemanded

FIRST, SECOND, THIRD = StopDemanded(1.0), CancelDemanded(2.0), StopDemanded(3.0)
END = Conclude(4.0, stuck=False)


class Handled:
    """Events that are handled, and how many others each of them puts while it is."""

    def __init__(self) -> None:
        self.events = EventsInTurn()
        self.seen: list[JobEvent] = []
        self.depth = 0
        self.puts: dict[JobEvent, list[JobEvent]] = {}
        self.error: BaseException | None = None

    def handle(self, event: JobEvent) -> None:
        assert self.depth == 0, "within another's handling"
        self.depth += 1
        for other in self.puts.get(event, []):
            self.events.put(other)
        self.seen.append(event)
        self.depth -= 1
        if self.error is not None:
            raise self.error

    async def begin(self) -> "asyncio.Task[Conclude]":
        running = asyncio.ensure_future(self.events.handle_all(self.handle))
        await asyncio.sleep(0)
        return running


async def test_an_event_is_handled_in_the_moment_in_which_it_comes() -> None:
    handled = Handled()
    running = await handled.begin()
    handled.events.put(FIRST)
    assert handled.seen == [FIRST]
    handled.events.put(SECOND)
    assert handled.seen == [FIRST, SECOND]
    handled.events.end(END)
    assert await running is END


async def test_events_that_come_before_there_is_a_handler_wait_for_it_in_their_order() -> None:
    handled = Handled()
    handled.events.put(FIRST)
    handled.events.put(SECOND)
    assert handled.seen == []
    running = await handled.begin()
    assert handled.seen == [FIRST, SECOND]
    handled.events.end(END)
    assert await running is END


async def test_an_event_that_comes_of_another_is_handled_when_that_is_done_with() -> None:
    handled = Handled()
    handled.puts = {FIRST: [SECOND, THIRD]}
    running = await handled.begin()
    handled.events.put(FIRST)
    assert handled.seen == [FIRST, SECOND, THIRD]
    handled.events.end(END)
    await running


@pytest.mark.parametrize("is_early", [True, False], ids=["it had waited", "it comes now"])
async def test_a_failure_is_raised_where_all_are_handled_and_not_where_the_event_comes_from(
    is_early: bool,
) -> None:
    handled = Handled()
    handled.error = StopIteration("a bug")  # which no future takes for a failure
    handled.puts = {FIRST: [SECOND]}
    if is_early:
        handled.events.put(FIRST)
    running = await handled.begin()
    if not is_early:
        handled.events.put(FIRST)
    handled.events.put(THIRD)
    with pytest.raises(RuntimeError) as raised:
        await running
    assert raised.value.__cause__ is handled.error
    assert handled.seen == [FIRST], "what a failure has left half done is not gone on with"


async def test_a_failure_elsewhere_is_raised_too_unless_the_end_has_come() -> None:
    handled, other = Handled(), Handled()
    running, ending = await handled.begin(), await other.begin()
    handled.events.end(ValueError("a bug"))
    other.events.end(END)
    other.events.end(ValueError("too late"))
    with pytest.raises(ValueError, match="a bug"):
        await running
    assert await ending is END


async def test_what_comes_after_the_end_is_not_handled() -> None:
    handled = Handled()
    running = await handled.begin()
    handled.events.end(END)
    handled.events.put(FIRST)  # before the loop has told that it is over
    assert await running is END
    handled.events.put(SECOND)
    assert handled.seen == []


@pytest.mark.parametrize("begins", [True, False])
async def test_what_comes_after_a_cancellation_is_not_handled_and_nobody_fails(begins: bool) -> None:
    handled = Handled()
    running = asyncio.ensure_future(handled.events.handle_all(handled.handle))
    if begins:
        await asyncio.sleep(0)
    running.cancel()
    handled.events.put(FIRST)
    handled.events.end(END)
    await asyncio.wait((running,))
    handled.events.put(SECOND)
    handled.events.end(ValueError("a bug"))
    assert running.cancelled()
    assert handled.seen == []
