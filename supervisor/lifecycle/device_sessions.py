"""Who may have a session on which device, among all jobs of this worker. Pure: no I/O, no clock.

A router has five lines for sessions, or sixteen; jobs are processes of their own and know nothing of each other. So
they ask before they open a session, and are answered in the order in which they asked.
"""

from dataclasses import dataclass, field
from typing import Final

MOST_COUNTED: Final = 1000
"""Of one job at a time. No job needs as many: each has a thread. What it asks for beyond that is granted and not
counted, so that it can't make the worker keep things without end."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The job may open the session that it asked for by this number."""

    job: int
    number: int


@dataclass(slots=True)
class _Device:
    taken: set[Granted] = field(default_factory=set)
    waiting: dict[Granted, None] = field(default_factory=dict)
    """In the order in which they asked."""


class DeviceSessions:
    """Counts sessions by device. `limit` is how many a device may have, 0 for any number.

    A job is known by any number of its own, a device by any text. Each method returns who is answered now.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._devices: dict[str, _Device] = {}
        self._asked: dict[int, dict[int, str]] = {}
        """Of each job: which device it has asked for, by the number of the session."""

    def ask(self, job: int, number: int, device: str) -> list[Granted]:
        """Note that the job wants a session. The same number asked for twice is one."""
        asked = self._asked.setdefault(job, {})
        if number in asked:
            return []
        if len(asked) >= MOST_COUNTED:
            return [Granted(job, number)]
        asked[number] = device
        self._devices.setdefault(device, _Device()).waiting[Granted(job, number)] = None
        return self._grant(device)

    def give_back(self, job: int, number: int) -> list[Granted]:
        """Note that the session is closed, or wanted no more. A number that was never asked for is nothing."""
        device = self._asked.get(job, {}).pop(number, None)
        if device is None:
            return []
        state = self._devices[device]
        state.taken.discard(Granted(job, number))
        state.waiting.pop(Granted(job, number), None)
        return self._grant(device)

    def withdraw(self, job: int) -> list[Granted]:
        """Note that the job wants nothing more of what it waits for. What it has, it keeps."""
        granted: list[Granted] = []
        for number, device in list(self._asked.get(job, {}).items()):
            if Granted(job, number) in self._devices[device].waiting:
                granted += self.give_back(job, number)
        return granted

    def end(self, job: int) -> list[Granted]:
        """Note that the job's process is gone, and with it its sessions."""
        granted: list[Granted] = []
        for number in list(self._asked.get(job, ())):
            granted += self.give_back(job, number)
        self._asked.pop(job, None)
        # It may have had its own next one granted by the end of another.
        return [each for each in granted if each.job != job]

    def set_limit(self, limit: int) -> list[Granted]:
        """Count by another limit from now on. Sessions that are open above it stay."""
        self._limit = limit
        return [granted for device in list(self._devices) for granted in self._grant(device)]

    def _grant(self, device: str) -> list[Granted]:
        state = self._devices[device]
        granted: list[Granted] = []
        while state.waiting and (self._limit == 0 or len(state.taken) < self._limit):
            first = next(iter(state.waiting))
            del state.waiting[first]
            state.taken.add(first)
            granted.append(first)
        if not state.taken and not state.waiting:
            del self._devices[device]
        return granted
