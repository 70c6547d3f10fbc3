"""The evidence of a job's end, put together in one place. What it holds of the job's own texts is masked here."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from jobrunner.protocol.masking import Masked
from jobrunner.protocol.messages import DeviceChange
from supervisor.lifecycle.state import JobState
from supervisor.verdict import MOST_TOLD, Ending, KernelView, OpenChange, OpenChanges
from supervisor.watch.fair_mask import FairMask

_DEVICE_CHARS: Final = 100


async def ending_of(
    state: JobState,
    at: float,
    mask: FairMask,
    *,
    message: str | None = None,
    dump: str = "",
    last_output: Masked,
    kernel: KernelView | None = None,
    changes: Collection[DeviceChange] = (),
) -> Ending:
    """Return what was observed of a job that is over since `at`.

    `message` is that of the outcome, as it came, where there is one.
    `changes` are those of devices of which something is in force, or may be.
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
