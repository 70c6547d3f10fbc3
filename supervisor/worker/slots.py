"""The slots of a worker, by their numbers: which are free, and which are set aside for a job that can't be killed."""

import heapq


class Slots:
    """Gives out the lowest number that is free. `count` is how many there are, but for those that are set aside."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = list(range(count))  # a heap

    def take(self) -> int:
        """Return the number of a free slot. There must be one."""
        return heapq.heappop(self._free)

    def give_back(self, slot: int) -> None:
        """A slot is free again."""
        heapq.heappush(self._free, slot)

    def set_aside(self) -> None:
        """A slot that was taken can't be used: something of its job is still there."""
        self.count -= 1

    def take_up(self, slot: int) -> None:
        """A slot that was set aside can be used again."""
        self.count += 1
        self.give_back(slot)
