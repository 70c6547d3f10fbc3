"""The evidence of a job's end, put together in one place, and the end that is foreseen when the outcome comes.

It masks all texts that come from the job.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from jobrunner.protocol.masking import NO_TEXT, Effort, Masked, TextMask, TooMuchWorkError
from jobrunner.protocol.messages import DeviceChange
from supervisor.job.channel import ChannelReader
from supervisor.job.result import Finished
from supervisor.lifecycle.state import JobState, Phase
from supervisor.verdict import MOST_TOLD, Ending, KernelView, OpenChange, OpenChanges, decide
from supervisor.watch.fair_mask import FairMask

_DEVICE_CHARS: Final = 100
_LONGEST_FORESEEN_CHARS: Final = 4096
"""A longer message is masked when the job is over, because that may take long."""


async def ending_of(
    state: JobState,
    at: float,
    mask: FairMask,
    *,
    message: str | None = None,
    warning: str = "",
    dump: str = "",
    last_output: Masked,
    unread_output: bool = False,
    kernel: KernelView | None = None,
    changes: Collection[DeviceChange] = (),
) -> Ending:
    """Return what was observed of a job that ended at `at`.

    `message` and `warning` come from the outcome, if there is one, and are not masked yet.
    `changes` are the changes of devices that are, or may be, in force.
    `dump` is the text in the child's dump. It counts if no stack was taken: a crash writes a dump, too.
    """
    if state.outcome is not None and message is not None:
        told = await mask.text(warning, cut_after=True) if warning else NO_TEXT
        state = replace(state, outcome=replace(state.outcome, message=await mask.text(message), warning=told))
    return state.ending(
        at,
        stack=await mask.text(state.stack or dump, cut_after=True),
        channel_problem=None if state.channel_problem is None else await mask.text(state.channel_problem),
        last_output=last_output,
        unread_output=unread_output,
        kernel=kernel,
        changes=await _open_changes(changes, mask),
    )


async def _open_changes(changes: Collection[DeviceChange], mask: FairMask) -> OpenChanges:
    # Those that are whole last: they need no look at the device.
    ordered = sorted(changes, key=lambda each: each.stage == "changed" and each.timer_seconds is None)
    told = [
        OpenChange(await _device(each, mask), each.stage, each.lines, each.timer_seconds)
        for each in ordered[:MOST_TOLD]
        if each.stage != "over"
    ]
    return OpenChanges(tuple(told), max(0, len(changes) - MOST_TOLD))


async def _device(change: DeviceChange, mask: FairMask) -> Masked:
    is_cut = len(change.device) > _DEVICE_CHARS
    return await mask.text(change.device[:_DEVICE_CHARS], cut_after=is_cut)


def foreseen_end(state: JobState, channel: ChannelReader, mask: TextMask) -> Finished | None:
    """Return how the job ends if nothing else happens that its result must report; `None` if that is still open.

    After an outcome that came before any limit, no event changes success, cause or what the block returned: what comes
    later is a warning (`lifecycle.job`, `verdict.table`, docs/adr/0006). Only a note may be added to the message.
    """
    if state.phase is not Phase.LINGERING or state.limit is not None or state.outcome is None:
        return None
    message, parts = channel.message, channel.parts
    if message is None or parts is None or not channel.is_checked or len(message) > _LONGEST_FORESEEN_CHARS:
        return None
    if state.gaps or channel.changes:
        return None
    try:
        masked = mask(message, effort=Effort())
    except TooMuchWorkError:
        return None
    ending = replace(state, outcome=replace(state.outcome, message=masked)).ending(state.started_at)
    return Finished(decide(ending), ending, *parts)
