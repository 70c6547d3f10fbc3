"""The state of an emulated device, whoever is logged in: its configuration, files, links and timers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sdk.testing.devices.ios_configuration import IosConfiguration, IosInterface

__all__ = ["IosDevice", "IosInterface", "Link"]

_MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Link:
    """The other end of a cable: a device, and the name of its interface."""

    device: "IosDevice"
    interface: str


@dataclass(slots=True)
class Timer:
    """Something that will happen on the device: `what`, and when."""

    what: str
    due_monotonic: float
    handle: Any = None

    def cancel(self) -> None:
        """Cancel it."""
        if self.handle is not None:
            self.handle.cancel()


@dataclass(slots=True)
class IosDevice:
    """The state that all sessions of one device share.

    `call_later(seconds, function)` and `reload` come from the code that serves the device; without them nothing
    happens by itself. `minute_seconds` is how long a minute of its timers takes: with less than 60, a test waits less.
    `is_touched`: the configuration was changed since it was saved, even if it was changed back.
    """

    hostname: str
    enable_secret: str | None = field(default=None, repr=False)
    number: int = 1
    configuration: IosConfiguration = field(init=False)
    startup_config: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    started_monotonic: float = field(default_factory=time.monotonic)
    changed: tuple[float, str] | None = None
    is_touched: bool = False
    minute_seconds: float = _MINUTE_SECONDS
    call_later: Callable[[float, Callable[[], None]], Any] | None = None
    reload: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    reload_timer: Timer | None = None
    revert_timer: Timer | None = None

    def __post_init__(self) -> None:
        self.configuration = IosConfiguration.factory(self.hostname, self.number)

    @property
    def serial(self) -> str:
        """The serial number: invented, and different for each device of a lab."""
        return f"EMU0000LAB{self.number}"

    @property
    def interfaces(self) -> dict[str, IosInterface]:
        """Its interfaces by their names."""
        return self.configuration.interfaces

    @property
    def lines(self) -> list[str]:
        """The global commands that the device remembers."""
        return self.configuration.lines

    def mac_address(self) -> str:
        """The address of its chassis, from a range that nobody owns."""
        return f"0200.5e00.01{self.number:02x}"

    def interface(self, typed: str) -> IosInterface | None:
        """Find an interface by a full or shortened name (`IosConfiguration.interface`)."""
        return self.configuration.interface(typed)

    def neighbors(self) -> list[tuple[IosInterface, Link]]:
        """The devices that it sees over its cables: both ends must be up."""
        return [
            (interface, link)
            for name, link in self.links.items()
            if (interface := self.interfaces[name]).enabled and link.device.interfaces[link.interface].enabled
        ]

    def running_config(self) -> str:
        """Return the configuration as `show running-config` prints it. The enable secret is never in it."""
        return self.configuration.text(has_secret=self.enable_secret is not None)

    def file(self, name: str) -> str | None:
        """Return the contents of a file; the two configurations are also files. None if there is no such file."""
        if name in ("running-config", "system:running-config"):
            return self.running_config()
        if name in ("startup-config", "nvram:startup-config"):
            return self.startup_config
        return self.files.get(name)

    def note_change(self, user: str) -> None:
        """Remember that `user` has changed the configuration, and tell the code that serves the device."""
        self.hostname = self.configuration.hostname
        self.changed = (time.time(), user)
        self.is_touched = True
        self.on_change()

    def save(self) -> None:
        """Make the configuration the startup configuration."""
        self.startup_config = self.running_config()
        self.is_touched = False

    def in_minutes(self, minutes: float, what: str, then: Callable[[], None]) -> Timer:
        """Call `then` after `minutes` of the device."""
        seconds = minutes * self.minute_seconds
        timer = Timer(what, time.monotonic() + seconds)
        if self.call_later is not None:
            timer.handle = self.call_later(seconds, then)
        return timer

    def cancel_timers(self) -> None:
        """Forget all timers."""
        for timer in (self.reload_timer, self.revert_timer):
            if timer is not None:
                timer.cancel()
        self.reload_timer = self.revert_timer = None
