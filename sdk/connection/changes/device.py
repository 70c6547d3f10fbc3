"""What a change needs from a device. Each method blocks, and ends by its deadline with a `DeviceError`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import ConfigurationLine
from sdk.connection.deadline import Deadline


@dataclass(frozen=True, slots=True)
class ConfirmTimer:
    """A timer that runs on a device: after `seconds` the device takes a change back by itself.

    `seconds` may be longer than requested: IOS counts in minutes. `kind` says what runs there, `note` says why that
    kind and what else it does. `handle` belongs to the platform.
    """

    kind: str
    seconds: float
    note: str = ""
    handle: str = ""

    def __str__(self) -> str:
        what = f"A {self.kind} runs on the device"
        text = f"{what}: it restores the configuration {self.seconds:g} s after the change began."
        return f"{text} It is {self.note}." if self.note else text


class ConfigurableDevice(Protocol):
    """A device whose configuration can be read and changed line by line."""

    @property
    def where(self) -> str:
        """The device's name in messages."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How its configuration is read."""
        ...

    def get_config(self, *, deadline: Deadline, source: str = "running") -> str:
        """Return a configuration as the device prints it."""
        ...

    def enter_configuration(self, *, deadline: Deadline) -> None:
        """Enter configuration mode."""
        ...

    def send_config_line(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        """Send one line to its section. Return the device's words if it refused, otherwise an empty text."""
        ...

    def leave_sections(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        """Leave the sections that `line` does not stand in. Return the device's words if it refuses one of them.

        IOS makes a VLAN only then. `send_config_line` leaves them too, without a look at the words.
        """
        ...

    def leave_configuration(self, *, deadline: Deadline) -> str:
        """Leave configuration mode: the device answers commands again. Return its words if it refuses a section."""
        ...

    def why_no_timer(self) -> str | None:
        """Return why the device can't take a change back by itself, None if it can."""
        ...

    def start_timer(
        self, seconds: float, inverse: tuple[ConfigurationLine, ...], *, deadline: Deadline
    ) -> ConfirmTimer:
        """Make the device restore its present configuration after `seconds`. `inverse` should take the change back."""
        ...

    def cancel_timer(self, timer: ConfirmTimer, *, deadline: Deadline) -> bool:
        """Keep the change. False: the timer has already run out.

        Raises:
            RefusedCommandError: the device does not stop the timer; it goes on.
        """
        ...
