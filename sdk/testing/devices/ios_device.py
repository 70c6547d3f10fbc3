"""What an emulated device is and remembers, whoever is logged in: its interfaces and its configuration."""

import re
import time
from dataclasses import dataclass, field

_INTERFACE_KINDS = ("GigabitEthernet", "Loopback", "Vlan")
_VIRTUAL_KINDS = ("Loopback", "Vlan")


@dataclass(slots=True)
class IosInterface:
    """One interface; `enabled` is the absence of `shutdown`."""

    name: str
    address: str | None = None
    netmask: str | None = None
    description: str | None = None
    enabled: bool = True

    def configuration(self) -> list[str]:
        """Return its section of the configuration, one entry a line."""
        lines = [f"interface {self.name}"]
        if self.description:
            lines.append(f" description {self.description}")
        lines.append(f" ip address {self.address} {self.netmask}" if self.address else " no ip address")
        if not self.enabled:
            lines.append(" shutdown")
        return lines


def _factory_interfaces() -> dict[str, IosInterface]:
    # Documentation addresses (RFC 5737): nobody's real network stands in an emulated output.
    interfaces = (
        IosInterface("GigabitEthernet0/0", "192.0.2.1", "255.255.255.0", "management"),
        IosInterface("GigabitEthernet0/1", "198.51.100.1", "255.255.255.252", "uplink"),
        IosInterface("GigabitEthernet0/2", enabled=False),
        IosInterface("Loopback0", "203.0.113.1", "255.255.255.255"),
    )
    return {interface.name: interface for interface in interfaces}


@dataclass(slots=True)
class IosDevice:
    """The state that all sessions of one device share. `lines` are the global commands it remembers."""

    hostname: str
    enable_secret: str | None = field(default=None, repr=False)
    serial: str = "EMU0000LAB1"
    interfaces: dict[str, IosInterface] = field(default_factory=_factory_interfaces)
    lines: list[str] = field(default_factory=list)
    startup_config: str | None = None
    started_monotonic: float = field(default_factory=time.monotonic)

    def interface(self, typed: str) -> IosInterface | None:
        """Find an interface by a full or shortened name; a new loopback or VLAN comes into being.

        None for a kind that does not exist, and for a physical port that the device does not have.
        """
        match = re.fullmatch(r"([a-zA-Z]+)\s*(\d+(?:/\d+)*)", typed)
        if match is None:
            return None
        kinds = [kind for kind in _INTERFACE_KINDS if kind.lower().startswith(match[1].lower())]
        if len(kinds) != 1:
            return None
        name = kinds[0] + match[2]
        if name not in self.interfaces and kinds[0] in _VIRTUAL_KINDS and match[2].isdecimal():
            self.interfaces[name] = IosInterface(name)
        return self.interfaces.get(name)

    def running_config(self) -> str:
        """Return the configuration as `show running-config` prints it. The enable secret is never in it."""
        sections = ["!", "version 15.9", f"hostname {self.hostname}", "!"]
        if self.enable_secret is not None:
            sections += ["enable secret 9 <removed>", "!"]
        for interface in self.interfaces.values():
            sections += [*interface.configuration(), "!"]
        sections += [*self.lines, "!", "line vty 0 4", " transport input ssh", "!", "end"]
        return "\n".join(sections)
