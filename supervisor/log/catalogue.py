"""All events of the worker, by their room: for the reference, and for programs that read a log back."""

import functools
import inspect

from supervisor.log.event import Event
from supervisor.log.events import (
    blocks,
    control,
    ended_jobs,
    health,
    host_keys,
    intake,
    isolation,
    jobs,
    processes,
    results,
    state,
    surroundings,
    worker,
)

ROOMS = {
    "The worker": worker,
    "Pauses and drains": intake,
    "Blocks": blocks,
    "Jobs": jobs,
    "Results and the journal": results,
    "Ended jobs that are kept": ended_jobs,
    "The state directory": state,
    "Host keys of devices": host_keys,
    "Health and metrics": health,
    "Processes": processes,
    "The control socket": control,
    "Isolation": isolation,
    "The worker's surroundings": surroundings,
}


@functools.cache
def all_events() -> tuple[type[Event], ...]:
    """Return every event, in the order of the catalogue."""
    return tuple(event for title in ROOMS for event in events_of(title))


@functools.lru_cache(maxsize=256)
def said_by_text(name: str) -> frozenset[str]:
    """Return the facts that the sentence of the event `name` contains; none for an unknown event."""
    return next((event.in_text for event in all_events() if event.name == name), frozenset())


def events_of(title: str) -> tuple[type[Event], ...]:
    """Return the events of one room of `ROOMS`."""
    found = vars(ROOMS[title]).values()
    return tuple(
        each for each in found if inspect.isclass(each) and issubclass(each, Event) and each is not Event
    )
