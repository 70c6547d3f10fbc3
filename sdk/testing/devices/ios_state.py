"""Where one CLI session stands: its mode, the interface it edits, the question it was asked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sdk.testing.devices.ios_device import IosDevice, IosInterface

# IOS cuts the host name in a configuration prompt; netmiko relies on it.
_CONFIG_HOSTNAME_LENGTH = 20


class Mode(Enum):
    """A CLI mode; the value is what stands between host name and cursor."""

    USER = ">"
    PRIVILEGED = "#"
    CONFIG = "(config)#"
    INTERFACE = "(config-if)#"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that takes the next line as its answer. `secret` answers are not echoed."""

    text: str
    answer: Callable[["SessionState", str], str]
    secret: bool = False


@dataclass(slots=True)
class SessionState:
    """The state of one session; the device behind it is shared with the others."""

    device: IosDevice
    mode: Mode = Mode.PRIVILEGED
    interface: IosInterface | None = None
    question: Question | None = None
    closed: bool = False

    def prompt(self) -> str:
        """Return what the device prints before it reads the next line."""
        if self.question is not None:
            return self.question.text
        hostname = self.device.hostname
        if self.mode in (Mode.CONFIG, Mode.INTERFACE):
            hostname = hostname[:_CONFIG_HOSTNAME_LENGTH]
        return hostname + self.mode.value
