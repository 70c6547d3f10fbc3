"""Kinds of change on FRR, for a router as the lab's r2 is: each is made, and must be taken back to the identical text.

`make lab` makes them over SSH on real FRR; the unit tests foretell them.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FrrChange:
    """One change: its name, its lines, and whether FRR shows it in its configuration."""

    name: str
    lines: str
    is_shown: bool = True


CHANGES: Final = (
    FrrChange("a new description", "interface eth1\n description by a change of ours"),
    FrrChange("no description", "interface eth1\n no description"),
    FrrChange("a second address", "interface eth1\n ip address 10.77.0.1/24"),
    FrrChange("an interface shut down", "interface eth2\n shutdown"),
    FrrChange("an OSPF cost", "interface eth1\n ip ospf cost 77"),
    FrrChange("other OSPF timers", "interface eth1\n ip ospf hello-interval 2\n ip ospf dead-interval 8"),
    FrrChange("no OSPF on a link", "interface eth2\n no ip ospf area 0"),
    FrrChange("another router id of OSPF", "router ospf\n ospf router-id 10.255.9.9"),
    FrrChange("a passive interface", "interface eth1\n ip ospf passive"),
    FrrChange("OSPF announces connected networks", "router ospf\n redistribute connected metric 20"),
    FrrChange("no OSPF at all", "no router ospf"),
    FrrChange("static routes", "ip route 192.0.2.0/25 10.0.12.1\nip route 192.0.2.128/25 blackhole 200"),
    FrrChange("no static route", "no ip route 172.16.2.0/24 blackhole"),
    FrrChange(
        "a new BGP neighbor",
        "router bgp 65002\n neighbor 10.0.12.9 remote-as 65009\n neighbor 10.0.12.9 timers 5 15",
    ),
    FrrChange("no BGP neighbor", "router bgp 65002\n no neighbor 10.0.23.2 remote-as 65003"),
    FrrChange("a BGP neighbor shut down", "router bgp 65002\n neighbor 10.0.12.1 shutdown"),
    FrrChange("another AS of a neighbor", "router bgp 65002\n neighbor 10.0.12.1 remote-as 65099"),
    FrrChange(
        "another network in BGP", "router bgp 65002\n address-family ipv4 unicast\n  network 172.30.0.0/16"
    ),
    FrrChange(
        "no network in BGP", "router bgp 65002\n address-family ipv4 unicast\n  no network 172.16.2.0/24"
    ),
    FrrChange(
        "a policy on a neighbor",
        "ip prefix-list ONLY seq 5 permit 172.16.0.0/12 le 24\n"
        "route-map OUT permit 10\n match ip address prefix-list ONLY\n set metric 50\n"
        "router bgp 65002\n address-family ipv4 unicast\n  neighbor 10.0.12.1 route-map OUT out",
    ),
    FrrChange("BGP with policies only", "router bgp 65002\n bgp ebgp-requires-policy"),
    FrrChange("an access list", "access-list NET seq 5 permit 10.0.0.0/8\naccess-list NET seq 10 deny any"),
    FrrChange("a community list", "bgp community-list standard OURS seq 5 permit 65002:100"),
    FrrChange("no BGP at all", "no router bgp 65002"),
    FrrChange("a password for a neighbor", "router bgp 65002\n neighbor 10.0.12.1 password s3cret-of-bgp"),
    FrrChange("a log file", "log file /var/tmp/frr/changes.log informational"),
    FrrChange("a banner", "banner motd line a word of welcome", is_shown=False),
)
"""21 of them and more are visible. The order does not matter: each begins where the one before has ended."""
