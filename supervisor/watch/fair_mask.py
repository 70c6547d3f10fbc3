"""The mask of a job, used in such a way that one job's texts do not hold up other jobs."""

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
    """Masks short texts at once, as nearly all are, and longer ones in a thread beside the loop.

    A text that still takes too long is not shown.
    """

    def __init__(self, mask: TextMask, long_work: LongWork) -> None:
        self.mask = mask
        self._long_work = long_work

    async def do(
        self, work: Callable[[Effort], T], otherwise: Callable[[], T], *, at_once: bool = False
    ) -> tuple[T, int]:
        """Return the result of `work` within its effort, or `otherwise`; and the units of effort that it took.

        `work` uses `mask`. If it is too much for one turn of the loop, it is done again in a thread, unless it must be
        done `at_once`.
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
