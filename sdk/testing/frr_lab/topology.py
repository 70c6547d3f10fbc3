"""The routers of the lab, the links between them, and their configurations. Texts only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MANAGEMENT: Final = "10.99.0.1/24"
"""The address of the lab itself in the management network of all routers."""


@dataclass(frozen=True, slots=True)
class Link:
    """An interface of a router, and the other end of its link."""

    name: str
    address: str
    peer: str
    peer_address: str
    peer_interface: str


@dataclass(frozen=True, slots=True)
class Router:
    """One router. Its autonomous system, loopback and customer network follow from its number."""

    number: int
    links: tuple[Link, ...]

    @property
    def name(self) -> str:
        """The hostname."""
        return f"r{self.number}"

    @property
    def management_address(self) -> str:
        """The address of `eth0`, at which SSH is reached."""
        return f"10.99.0.{10 + self.number}"

    @property
    def loopback(self) -> str:
        """The address that OSPF announces, without its length."""
        return f"10.255.0.{self.number}"

    @property
    def network(self) -> str:
        """The network that BGP announces."""
        return f"172.16.{self.number}.0/24"

    @property
    def autonomous_system(self) -> int:
        """The number of its autonomous system: each router has its own."""
        return 65000 + self.number

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The interfaces other than `lo` and `eth0`."""
        return tuple(link.name for link in self.links)


ROUTERS: Final = (
    Router(1, (Link("eth1", "10.0.12.1/30", "r2", "10.0.12.2", "eth1"),)),
    Router(
        2,
        (
            Link("eth1", "10.0.12.2/30", "r1", "10.0.12.1", "eth1"),
            Link("eth2", "10.0.23.1/30", "r3", "10.0.23.2", "eth1"),
        ),
    ),
    Router(3, (Link("eth1", "10.0.23.2/30", "r2", "10.0.23.1", "eth2"),)),
)
"""`r1 - r2 - r3`: what r1 knows about r3, it has learned from r2."""


def links_batch() -> str:
    """Return the links as input for `ip -batch`: one from each router to the bridge, one between neighbours."""
    lines: list[str] = []
    for router in ROUTERS:
        lines += [
            f"link add {router.name}m type veth peer name eth0 netns {router.name}",
            f"link set {router.name}m master labbr0 up",
        ]
        for link in router.links:
            if int(link.peer[1:]) > router.number:  # each link once
                lines.append(
                    f"link add {link.name} netns {router.name} type veth"
                    f" peer name {link.peer_interface} netns {link.peer}"
                )
    return _text(lines)


def frr_conf(router: Router) -> str:
    """Return the startup configuration, as the router itself would write it.

    The timers are as short as FRR allows: with its defaults, a route takes half a minute. `datacenter` has short timers
    for BGP (3 and 9 seconds), and lets BGP announce without a policy.
    """
    lines = ["frr defaults datacenter", f"hostname {router.name}", "no ipv6 forwarding"]
    lines += ["service integrated-vtysh-config", "!", f"ip route {router.network} blackhole", "!"]
    lines += ["interface eth0", " description management"]
    lines += [f" ip address {router.management_address}/24", "exit", "!"]
    for link in router.links:
        lines += [f"interface {link.name}", f" description to {link.peer} {link.peer_interface}"]
        lines += [f" ip address {link.address}", *_OSPF_ON_A_LINK, "exit", "!"]
    lines += ["interface lo", f" ip address {router.loopback}/32", " ip ospf area 0", "exit", "!"]
    lines += [f"router bgp {router.autonomous_system}", f" bgp router-id {router.loopback}"]
    for link in router.links:
        peer = f" neighbor {link.peer_address}"
        lines += [f"{peer} remote-as {65000 + int(link.peer[1:])}", f"{peer} description {link.peer}"]
        lines += [f"{peer} advertisement-interval 0", f"{peer} timers connect 1"]
    lines += [" !", " address-family ipv4 unicast", f"  network {router.network}", " exit-address-family"]
    lines += ["exit", "!", "router ospf", f" ospf router-id {router.loopback}", *_OSPF, "exit", "!"]
    return _text(lines)


_OSPF_ON_A_LINK: Final = (
    " ip ospf area 0",
    " ip ospf dead-interval 4",
    " ip ospf hello-interval 1",
    " ip ospf network point-to-point",
)
_OSPF: Final = (
    " timers throttle spf 0 50 200",
    " timers throttle lsa all 0",
    " timers lsa min-arrival 0",
)


def sshd_config(router: Router) -> str:
    """Return the configuration of the router's SSH server."""
    return _text(
        [
            "Port 22",
            "ListenAddress 0.0.0.0",
            f"HostKey /run/{router.name}_host_key",
            "PidFile none",
            "UsePAM no",
            "PasswordAuthentication yes",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin no",
            # A user's shell does not look for programs where lldpcli is.
            "SetEnv PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PrintMotd no",
            "PrintLastLog no",
            "UseDNS no",
            # All logins come from one address, and tests open many at the same time.
            "MaxStartups 100",
            "MaxSessions 50",
        ]
    )


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
