"""How a job will end whose outcome has come, as far as that is known while its child still ends."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from jobrunner.protocol.masking import Effort, TextMask, TooMuchWorkError
from supervisor.job.channel import ChannelReader
from supervisor.job.result import Finished
from supervisor.lifecycle.state import JobState, Phase
from supervisor.verdict import decide

_LONGEST_MESSAGE: Final = 4096


def tell_foreseen_end(
    state: JobState, channel: ChannelReader, mask: TextMask, told: Callable[[Finished], None]
) -> None:
    """Tell how a job will end whose outcome has just come, where that is known."""
    if (end := foreseen_end(state, channel, mask)) is not None:
        told(end)


def foreseen_end(state: JobState, channel: ChannelReader, mask: TextMask) -> Finished | None:
    """Return how the job ends if nothing else is seen of it that its result has to tell; `None` where that is open.

    After an outcome that came before any limit, no event changes success, cause or what the block returned: what comes
    later is a warning (`lifecycle.job`, `verdict.table`, docs/adr/0006). Only a note may be added to the message.
    """
    if state.phase is not Phase.LINGERING or state.limit is not None or state.outcome is None:
        return None
    message, parts = channel.message, channel.parts
    if message is None or parts is None or not channel.is_checked or len(message) > _LONGEST_MESSAGE:
        return None
    if state.gaps or channel.changes:
        return None
    try:
        masked = mask(message, effort=Effort())
    except TooMuchWorkError:
        return None
    ending = replace(state, outcome=replace(state.outcome, message=masked)).ending(state.started_at)
    return Finished(decide(ending), ending, *parts)
