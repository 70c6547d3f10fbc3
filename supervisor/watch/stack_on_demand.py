"""The stack of a running job, for a person who asks. The job goes on, and its end does not see this stack."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from supervisor.launcher.child import Child
from supervisor.process.tasks import Tasks
from supervisor.verdict.wording import kernel_sentence
from supervisor.watch.fair_mask import FairMask
from supervisor.watch.kernel import is_stopped, look_into_kernel
from supervisor.watch.other_processes import OtherProcess, other_processes
from supervisor.watch.rounds import reason_of
from supervisor.watch.running_stack import stays_deaf, take_dump_in_turn, threads_left_out
from supervisor.watch.stack import (
    dumped_bytes,
    every_thread,
    is_between_steps,
    leave_out_since,
)

ANSWER_SECONDS: Final = 2.0
"""How long a job may take to answer. It takes milliseconds, but longer on a machine that has no processor for it."""

_LATE_LOOK_SECONDS: Final = 0.1
_TRIES: Final = 4
"""A loop between two steps shows nothing. It is there for microseconds only: try again."""

STOPPED: Final = "It is stopped, and answers when it goes on."
DEAF: Final = "It blocks the signal that asks for its stack."
NO_HANDLER: Final = (
    "It has replaced its process (exec), or does not catch the signal that asks for its stack."
)
SILENT: Final = f"It has not answered within {ANSWER_SECONDS:g} s."
_LEFT_OUT: Final = "\n\nIts other threads ran while it was looked at, and are not shown. Ask again."
BEING_ENDED: Final = "It does not run yet, or its end has begun: where it was then is in its result."


@dataclass(frozen=True, slots=True)
class StackSeen:
    """The answer of a running job. Both texts are masked; they are the job's own words.

    `stack` has every thread of the job's first process, and what its tasks await if its event loop waits. If none came
    it is empty: then `why_not` says why, and `kernel` is what the kernel shows of the process. `processes` are the
    job's other ones.
    """

    pid: int
    stack: str = ""
    why_not: str = ""
    kernel: str = ""
    processes: tuple[OtherProcess, ...] = ()


class StackOnDemand:
    """Asks one child, while its job runs. Several people who ask at the same time get the same answer.

    Call `stop` before the job is ended: those who wait get an answer at once, and the dump then belongs to the end.
    """

    def __init__(self, child: Child, fair_mask: FairMask) -> None:
        self._child = child
        self._fair_mask = fair_mask
        self._tasks = Tasks(lambda *_: None)  # the person who asks gets the error
        self._asking: asyncio.Task[StackSeen] | None = None
        self._asked_from: int | None = None
        """Where in the dump the awaited answer begins. It may come late."""
        self._stopped = False

    async def take(self) -> StackSeen:
        """Return the stack, within some seconds. The job can't make it raise; may be cancelled."""
        if self._stopped:
            return StackSeen(self._child.pid, why_not=BEING_ENDED)
        if self._asking is None or self._asking.done():
            self._asking = self._tasks.start(self._take(), "stack of a job for a person")
        asking = self._asking
        await asyncio.wait({asking})
        if asking.cancelled():
            return StackSeen(self._child.pid, why_not=BEING_ENDED)
        if (error := asking.exception()) is not None:
            return StackSeen(self._child.pid, why_not=f"It could not be asked: {reason_of(error)}.")
        return asking.result()

    def stop(self) -> None:
        """Stop asking. Call it before anything is done to end the job, and before its descriptors are closed."""
        if self._stopped:
            return
        self._stopped = True
        self._tasks.cancel()
        self._leave_out_answer()

    async def _take(self) -> StackSeen:
        seen = await self._first_process()
        return replace(seen, processes=await other_processes(self._child.pid, self._fair_mask))

    async def _first_process(self) -> StackSeen:
        if why_not := await self._why_it_would_not_answer():
            return self._of_kernel(why_not)
        if self._asked_from is not None:
            return self._of_kernel(SILENT)  # asked already: another signal would only wait behind the first
        self._asked_from = dumped_bytes(self._child)
        dump = ""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                for _ in range(_TRIES):
                    dump = await take_dump_in_turn(self._child, for_a_person=True)
                    if not is_between_steps(dump):
                        break
                    self._asked_from = dumped_bytes(self._child)
        except TimeoutError:
            self._tasks.start(self._await_late_answer(), "late stack of a job")
            return self._of_kernel(SILENT)
        except Exception:
            self._asked_from = None
            raise
        self._asked_from = None
        if not dump:
            return self._of_kernel(await self._why_it_would_not_answer() or NO_HANDLER)
        shown = every_thread(dump) + (_LEFT_OUT if threads_left_out(self._child.pid, dump) else "")
        return StackSeen(self._child.pid, await self._fair_mask.text(shown, cut_after=True))

    async def _why_it_would_not_answer(self) -> str:
        """Say why a signal would be answered only later; empty if it would be answered now."""
        if is_stopped(self._child.pid):
            return STOPPED
        return DEAF if await stays_deaf(self._child.pid) else ""

    async def _await_late_answer(self) -> None:
        """Leave a late answer out of the evidence; until it has come, nobody asks again.

        None comes if the child was still writing another stack when it took the signal: faulthandler drops it then.
        """
        while self._child.owes_stack():  # noqa: ASYNC110  # the kernel tells nobody when a signal is taken
            await asyncio.sleep(_LATE_LOOK_SECONDS)
        await asyncio.sleep(_LATE_LOOK_SECONDS)  # until it is complete
        self._leave_out_answer()

    def _leave_out_answer(self) -> None:
        start, self._asked_from = self._asked_from, None
        if start is not None and dumped_bytes(self._child) > start:
            leave_out_since(self._child, start)

    def _of_kernel(self, why_not: str) -> StackSeen:
        view = look_into_kernel(self._child.pid, self._fair_mask.mask)
        return StackSeen(self._child.pid, why_not=why_not, kernel=kernel_sentence(view))
