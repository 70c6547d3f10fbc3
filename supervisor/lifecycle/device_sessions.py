"""Which job may have a session on which device, among all jobs of this worker. Pure: no I/O, no clock.

A router has five lines for sessions, or sixteen. Jobs are separate processes and know nothing of each other. So they
ask before they open a session, and are answered in the order in which they asked.
"""

from dataclasses import dataclass, field
from typing import Final

MOST_COUNTED: Final = 1000
"""For one job at a time. No job needs so many: each session has a thread. Further requests are granted and not counted,
so that a job can't make the worker keep more and more."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The job may open the session that it requested with this number."""

    job: int
    number: int


@dataclass(slots=True)
class _Device:
    taken: set[Granted] = field(default_factory=set)
    waiting: dict[Granted, None] = field(default_factory=dict)
    """In the order of their requests."""


class DeviceSessions:
    """Counts sessions by device. `limit` is how many a device may have, 0 for any number.

    Any number identifies a job, any text a device. Each method returns the requests that are granted now.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._devices: dict[str, _Device] = {}
        self._asked: dict[int, dict[int, str]] = {}
        """For each job: which device it has asked for, by the number of the session."""

    def ask(self, job: int, number: int, device: str) -> list[Granted]:
        """Note that the job wants a session. A repeated number counts once."""
        asked = self._asked.setdefault(job, {})
        if number in asked:
            return []
        if len(asked) >= MOST_COUNTED:
            return [Granted(job, number)]
        asked[number] = device
        self._devices.setdefault(device, _Device()).waiting[Granted(job, number)] = None
        return self._grant(device)

    def give_back(self, job: int, number: int) -> list[Granted]:
        """Note that the session is closed, or not wanted any more. An unknown number is ignored."""
        device = self._asked.get(job, {}).pop(number, None)
        if device is None:
            return []
        state = self._devices[device]
        state.taken.discard(Granted(job, number))
        state.waiting.pop(Granted(job, number), None)
        return self._grant(device)

    def withdraw(self, job: int) -> list[Granted]:
        """Note that the job drops its waiting requests. It keeps its sessions."""
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
        # The end of one session may have granted the same job's next one.
        return [each for each in granted if each.job != job]

    def set_limit(self, limit: int) -> list[Granted]:
        """From now on, count with another limit. Open sessions above it stay."""
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
