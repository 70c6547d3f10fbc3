"""What the result says of device changes of a job that was ended before it could report them itself."""

from dataclasses import dataclass
from typing import Final, Literal

from jobrunner.protocol.masking import Masked

ChangeStage = Literal["changing", "changed", "restoring"]

MOST_TOLD: Final = 5
"""How many changes a message names: readers may cut the message at 1000 characters."""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A change of `device` that is in force, or may be. With `timer_seconds` the device undoes it by itself."""

    device: Masked
    stage: ChangeStage
    lines: int
    timer_seconds: float | None = None

    @property
    def is_certain(self) -> bool:
        """Whether all of it is in force, and stays."""
        return self.stage == "changed" and self.timer_seconds is None


@dataclass(frozen=True, slots=True)
class OpenChanges:
    """The changes of a job: the first `MOST_TOLD`, uncertain ones before the others; and how many more there are."""

    told: tuple[OpenChange, ...] = ()
    more: int = 0

    @property
    def are_certain(self) -> bool:
        """Whether each change is completely in force, or there is none."""
        return all(change.is_certain for change in self.told)


NO_CHANGES: Final = OpenChanges()


def changes_text(changes: OpenChanges) -> str:
    """Return a line for each change: what may be in force, and what to do. Empty if there is none."""
    text = "".join(f"\n{_sentence(change)}" for change in changes.told)
    if changes.more:
        text += f"\nChanges of {changes.more} more devices are in force, or may be: the job's log names them."
    return text


def changes_made(changes: OpenChanges) -> list[str]:
    """Return a sentence for each change that is completely in force, without those in a block's error."""
    return [_sentence(change) for change in changes.told if change.is_certain]


def _sentence(change: OpenChange) -> str:
    lines = f"{change.lines} line" + ("" if change.lines == 1 else "s")
    timer = change.timer_seconds
    match change.stage:
        case "restoring":
            text = f"The configuration of {change.device} was being restored: a part of it may be."
            return f"{text}{_timer(timer)} Roll the step back, or look at the device."
        case "changed" if timer is None:
            return (
                f"A change of {change.device} ({lines}) is in force. Roll the step back if it should not be."
            )
        case "changed":
            return (
                f"A change of {change.device} ({lines}) was made, and not confirmed.{_timer(timer)} "
                "Look whether it has, or roll the step back."
            )
        case _:
            known = f"A change of {change.device} was under way: of its {lines}, some or all may be in force."
            after = _timer(timer) or " Nothing takes them back by itself."
            return f"{known}{after} Roll the step back, or look at the device."


def _timer(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f" The device takes it back by itself, {seconds:g} s after the change began."
