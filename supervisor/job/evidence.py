"""The evidence of a job's end, put together in one place. What it holds of the job's own texts is masked here."""

from jobrunner.protocol.masking import Masked, TextMask
from supervisor.lifecycle.state import JobState
from supervisor.verdict import Ending, KernelView


def ending_of(
    state: JobState,
    at: float,
    mask: TextMask,
    *,
    dump: str = "",
    last_output: Masked,
    kernel: KernelView | None = None,
) -> Ending:
    """Return what was observed of a job that is over since ``at``.

    ``dump`` is what its child has left in its dump, which counts where no stack was taken: a crash writes one, too.
    """
    return state.ending(
        at,
        stack=mask(state.stack or dump, cut_after=True),
        channel_problem=None if state.channel_problem is None else mask(state.channel_problem),
        last_output=last_output,
        kernel=kernel,
    )
