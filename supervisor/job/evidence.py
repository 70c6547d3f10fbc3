"""The evidence of a job's end, put together in one place. What it holds of the job's own texts is masked here."""

from dataclasses import replace

from jobrunner.protocol.masking import Masked
from supervisor.lifecycle.state import JobState
from supervisor.verdict import Ending, KernelView
from supervisor.watch.fair_mask import FairMask


async def ending_of(
    state: JobState,
    at: float,
    mask: FairMask,
    *,
    message: str | None = None,
    dump: str = "",
    last_output: Masked,
    kernel: KernelView | None = None,
) -> Ending:
    """Return what was observed of a job that is over since `at`.

    `message` is that of the outcome, as it came, where there is one.
    `dump` is what its child has left in its dump, which counts where no stack was taken: a crash writes one, too.
    """
    if state.outcome is not None and message is not None:
        state = replace(state, outcome=replace(state.outcome, message=await mask.text(message)))
    return state.ending(
        at,
        stack=await mask.text(state.stack or dump, cut_after=True),
        channel_problem=None if state.channel_problem is None else await mask.text(state.channel_problem),
        last_output=last_output,
        kernel=kernel,
    )
