"""The configuration of an emulated device: interfaces, sections and global lines, printed in one fixed order."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final, Self

_INTERFACE_KINDS: Final = ("GigabitEthernet", "Loopback", "Vlan")
_VIRTUAL_KINDS: Final = ("Loopback", "Vlan")
_LETTERS: Final = "".join(_INTERFACE_KINDS)

GLOBAL_LINES: Final = (
    "username",
    "banner",
    "ip domain name",
    "ip name-server",
    "lldp run",
    "cdp run",
    "ip route",
    "ipv6 route",
    "ip prefix-list",
    "logging host",
    "snmp-server",
    "ntp server",
)
"""The global commands that the device remembers, by their first words, in the order in which it prints them."""

SECTIONS: Final = (
    "vrf definition",
    "vlan",
    "key chain",
    "router ospf",
    "router bgp",
    "ip access-list",
    "route-map",
    "line vty",
)
"""The sections other than interfaces, by their first words, in the order in which it prints them."""

# Their order has a meaning. All other lines are printed sorted, so the order in which they were typed does not matter.
_ORDERED: Final = ("ip access-list", "route-map")
# IOS prints these above the interfaces.
_ABOVE: Final = ("vrf definition", "vlan", "key chain")


def inner(line: str, header: str) -> str:
    """Return the name of the section that the line of another section opens."""
    return f"{line} of {header}"


@dataclass(slots=True)
class IosInterface:
    """One interface; `enabled` is the absence of `shutdown`."""

    name: str
    address: str | None = None
    netmask: str | None = None
    description: str | None = None
    enabled: bool = True
    lines: list[str] = field(default_factory=list)

    @property
    def is_virtual(self) -> bool:
        """Whether it has no plug for a cable."""
        return self.name.startswith(_VIRTUAL_KINDS)

    @property
    def short_name(self) -> str:
        """Its name in tables: `Gi0/1`."""
        return self.name[:2] + self.name.lstrip(_LETTERS)

    @property
    def vrf(self) -> str | None:
        """The VRF that it is in."""
        return next((line.split()[-1] for line in self.lines if line.startswith("vrf forwarding ")), None)

    @property
    def ipv4(self) -> list[ipaddress.IPv4Interface]:
        """Its addresses, the primary one first."""
        secondary = [line.split()[2:4] for line in self.lines if line.startswith("ip address ")]
        primary = [[self.address, self.netmask]] if self.address and self.netmask else []
        return [ipaddress.IPv4Interface(f"{address}/{mask}") for address, mask in (*primary, *secondary)]

    @property
    def ipv6(self) -> list[ipaddress.IPv6Interface]:
        """Its IPv6 addresses, without the link-local one."""
        lines = [line.split()[2] for line in self.lines if line.startswith("ipv6 address ")]
        return [ipaddress.IPv6Interface(text) for text in lines]

    def configuration(self) -> list[str]:
        """Return its section of the configuration, line by line."""
        lines = [f"interface {self.name}"]
        if self.description:
            lines.append(f" description {self.description}")
        lines.append(f" ip address {self.address} {self.netmask}" if self.address else " no ip address")
        lines += [f" {line}" for line in sorted(self.lines)]
        if not self.enabled:
            lines.append(" shutdown")
        return lines


@dataclass(slots=True)
class IosConfiguration:
    """Everything that can be configured. `sections` are those other than interfaces: their lines, by their first line.

    A section inside a section has the name that `inner` gives.
    """

    hostname: str
    interfaces: dict[str, IosInterface] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @classmethod
    def factory(cls, hostname: str, number: int) -> Self:
        """The configuration of a new device, the `number`th of its lab.

        It uses documentation addresses (RFC 5737), so no emulated output shows somebody's real network.
        """
        interfaces = (
            IosInterface("GigabitEthernet0/0", f"192.0.2.{number}", "255.255.255.0", "management"),
            IosInterface("GigabitEthernet0/1", f"198.51.100.{number}", "255.255.255.252", "uplink"),
            IosInterface("GigabitEthernet0/2", enabled=False),
            IosInterface("Loopback0", f"203.0.113.{number}", "255.255.255.255"),
        )
        return cls(
            hostname,
            {interface.name: interface for interface in interfaces},
            {"line vty 0 4": ["transport input ssh"]},
            ["lldp run", "cdp run"],
        )

    @classmethod
    def empty(cls, like: Self) -> Self:
        """A configuration with the plugs of `like` and nothing else. It is the start for a replacement."""
        plugs = [interface.name for interface in like.interfaces.values() if not interface.is_virtual]
        return cls("Router", {name: IosInterface(name) for name in plugs}, {"line vty 0 4": []})

    def interface(self, typed: str) -> IosInterface | None:
        """Find an interface by a full or shortened name; a new loopback or VLAN is created.

        None for an unknown kind, and for a physical port that the device does not have.
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

    def text(self, *, has_secret: bool) -> str:
        """Return the configuration as the device prints it."""
        printed = ["!", "version 15.9", f"hostname {self.hostname}", "!"]
        if has_secret:
            printed += ["enable secret 9 <removed>", "!"]
        # The timer of a confirmed change needs it, so it is always there.
        printed += ["archive", " path flash:archive", "!"]
        printed += self._sections_of(_ABOVE)
        for interface in sorted(self.interfaces.values(), key=lambda each: _natural(each.name)):
            printed += [*interface.configuration(), "!"]
        printed += self._sections_of(SECTIONS[len(_ABOVE) : -1])
        printed += [line for family in GLOBAL_LINES for line in sorted(self._lines_of(family), key=_natural)]
        printed += ["!", *self._sections_of(SECTIONS[-1:]), "end"]
        return "\n".join(printed)

    def _lines_of(self, family: str) -> list[str]:
        return [line for line in self.lines if line == family or line.startswith(f"{family} ")]

    def _sections_of(self, families: tuple[str, ...]) -> list[str]:
        printed = []
        for family in families:
            headers = [header for header in self.sections if header.startswith(f"{family} ")]
            for header in sorted(headers, key=_natural):
                lines = self.sections[header]
                ordered = lines if header.startswith(_ORDERED) else sorted(lines, key=_natural)
                printed.append(header)
                for line in ordered:
                    below = sorted(self.sections.get(inner(line, header), ()), key=_natural)
                    printed += [f" {line}", *(f"  {each}" for each in below)]
                printed.append("!")
        return printed


def _natural(text: str) -> list[tuple[int, str]]:
    """The key for sorting `Vlan9` before `Vlan10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]
