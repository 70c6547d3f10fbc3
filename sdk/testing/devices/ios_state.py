"""The state of one CLI session: its mode, the section that it edits, an open question, its page length."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sdk.testing.devices.ios_device import IosDevice, IosInterface

# IOS cuts the hostname in a configuration prompt, and netmiko relies on that.
_CONFIG_HOSTNAME_LENGTH = 20
PAGE_LINES: Final = 24
YES: Final = ("", "y", "Y", "\r", "\n")
"""The keys that mean yes at `[confirm]`."""


class Mode(Enum):
    """A CLI mode. The value is the text between hostname and cursor."""

    USER = ">"
    PRIVILEGED = "#"
    CONFIG = "(config)#"
    INTERFACE = "(config-if)#"
    ROUTER = "(config-router)#"
    VRF = "(config-vrf)#"
    VLAN = "(config-vlan)#"
    ACCESS_LIST = "(config-ext-nacl)#"
    ROUTE_MAP = "(config-route-map)#"
    LINE = "(config-line)#"
    KEY_CHAIN = "(config-keychain)#"
    KEY = "(config-keychain-key)#"

    @property
    def configures(self) -> bool:
        """Whether lines typed here change the configuration."""
        return self not in (Mode.USER, Mode.PRIVILEGED)


@dataclass(frozen=True, slots=True)
class Question:
    """A question that takes the next line for its answer. `secret` answers are not echoed.

    `takes_a_key`: one key is the answer, without a line end, as at `[confirm]`.
    """

    text: str
    answer: Callable[["SessionState", str], str]
    secret: bool = False
    takes_a_key: bool = False


@dataclass(slots=True)
class SessionState:
    """The state of one session. The device behind it is shared with other sessions."""

    device: IosDevice
    mode: Mode = Mode.PRIVILEGED
    user: str = "console"
    interface: IosInterface | None = None
    section: str | None = None
    question: Question | None = None
    page_lines: int = PAGE_LINES
    closed: bool = False

    def enter(self, mode: Mode, interface: IosInterface | None = None, section: str | None = None) -> None:
        """Go to another mode, and leave the section that was edited."""
        self.mode, self.interface, self.section = mode, interface, section

    def prompt(self) -> str:
        """Return what the device prints before it reads the next line."""
        if self.question is not None:
            return self.question.text
        hostname = self.device.hostname
        if self.mode.configures:
            hostname = hostname[:_CONFIG_HOSTNAME_LENGTH]
        return hostname + self.mode.value
