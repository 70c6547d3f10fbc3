"""The mask of a job, used so that one job's texts do not keep the others waiting."""

from collections.abc import Callable
from typing import TypeVar

from jobrunner.protocol.masking import (
    MOST_UNITS,
    Effort,
    Masked,
    TextMask,
    TooMuchWorkError,
    not_shown,
)
from supervisor.process.long_work import LongWork, pause

T = TypeVar("T")


class FairMask:
    """Masks at once what takes a moment, as nearly every text does, and beside the loop what takes longer.

    A text that takes too long even so is not shown.
    """

    def __init__(self, mask: TextMask, long_work: LongWork) -> None:
        self.mask = mask
        self._long_work = long_work

    async def do(
        self, work: Callable[[Effort], T], otherwise: Callable[[], T], *, at_once: bool = False
    ) -> tuple[T, int]:
        """Return what `work` makes with the effort that it is given, or `otherwise`; and the units that it took.

        `work` uses `mask`, and is done once more, in a thread, when it is too much for one turn of the loop, unless
        it is to be done `at_once`.
        """
        effort = Effort()
        try:
            return work(effort), effort.used
        except TooMuchWorkError:
            if at_once:
                return otherwise(), effort.used
        effort = Effort(MOST_UNITS, pause)

        def beside_the_loop() -> T:
            try:
                return work(effort)
            except TooMuchWorkError:
                return otherwise()

        return await self._long_work.do(beside_the_loop), effort.used

    async def text(self, text: str, *, cut_before: bool = False, cut_after: bool = False) -> Masked:
        """Return `text` masked."""
        masked, _ = await self.do(
            lambda effort: self.mask(text, cut_before=cut_before, cut_after=cut_after, effort=effort),
            lambda: not_shown(text),
        )
        return masked
