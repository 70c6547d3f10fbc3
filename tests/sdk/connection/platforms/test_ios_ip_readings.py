"""Addresses, VRFs and IPv6 routes of IOS: all of what the device prints, or nothing."""

import pytest

from sdk.connection.information import NextHop
from sdk.connection.platforms import ios_ip_readings as readings
from sdk.connection.platforms import ios_readings
from tests.sdk.connection.platforms.outputs import output

IP_INTERFACE = output("cisco_ios", "show_ip_interface")
IPV6_INTERFACE = output("cisco_ios", "show_ipv6_interface")
IPV6_ROUTE = output("cisco_ios", "show_ipv6_route")
VRF = output("cisco_ios", "show_vrf")


def test_an_interface_has_its_secondary_addresses_its_ipv6_addresses_and_its_vrf() -> None:
    interfaces = ios_readings.interfaces(output("cisco_ios", "show_interfaces"))
    ipv4, ipv6 = readings.ipv4_addresses(IP_INTERFACE), readings.ipv6_addresses(IPV6_INTERFACE)
    assert interfaces is not None
    assert ipv4 is not None
    assert ipv6 is not None
    found = {each.name: each for each in ios_readings.with_addresses(interfaces, ipv4, ipv6)}
    assert found["GigabitEthernet0/0"].addresses == (
        "192.0.2.1/24",
        "198.51.100.129/25",
        "198.51.100.1/26",
        "2001:db8:1::1/64",
        "2001:db8:2::5eff:fe00:5301/64",
    )
    assert found["GigabitEthernet0/2"].addresses == (), "an address that is to come is none"
    assert (found["GigabitEthernet0/3"].vrf, found["GigabitEthernet0/0"].vrf) == ("RED", None)
    assert len(found) == 5, "no interface is lost"


def test_a_device_without_ipv6_says_nothing() -> None:
    assert readings.ipv6_addresses("\n") == {}
    assert readings.ipv6_routes("") == []
    assert readings.ipv6_routes("% IPv6 routing table RED does not exist") == []


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (readings.ipv4_addresses, IP_INTERFACE.replace("198.51.100.1/26", "198.51.100.1 mask 26")),
        (readings.ipv4_addresses, "something else"),
        (readings.ipv4_addresses, ""),
        (readings.ipv6_addresses, IPV6_INTERFACE.replace("2001:DB8:1::1,", "by a way nobody knows,")),
        (readings.ipv6_addresses, "something else"),
        (readings.vrfs, VRF.replace("<not set>", "?")),
        (readings.vrfs, "something else"),
        (readings.ipv6_routes, IPV6_ROUTE.replace("8 entries", "9 entries")),
        (readings.ipv6_routes, IPV6_ROUTE.replace("     via 2001:DB8:1::3", "     by a way nobody knows")),
        (readings.ipv6_routes, IPV6_ROUTE.replace("2001:DB8:4::/48", "2001:DB8:4:::/48")),
        (readings.ipv6_routes, "something else"),
        (readings.ipv6_routes, output("cisco_ios", "show_ip_route")),
    ],
)
def test_what_is_understood_by_half_is_no_answer(read: object, text: str) -> None:
    assert callable(read)
    assert read(text) is None


def test_the_ipv6_routes_are_as_many_as_the_device_counts() -> None:
    found = readings.ipv6_routes(IPV6_ROUTE.replace("\n", "\r\n"), "BLUE")
    assert found is not None
    assert [(route.prefix, route.protocol, route.distance) for route in found] == [
        ("::/0", "static", 1),
        ("2001:db8:1::/64", "connected", 0),
        ("2001:db8:1::1/128", "local", 0),
        ("2001:db8:3::/48", "ospf", 110),
        ("2001:db8:4::/48", "bgp", 200),
        ("2001:db8:5::/48", "bgp", 20),
        ("2001:db8:6::/48", "static", 1),
        ("ff00::/8", "local", 0),
    ]
    port = "GigabitEthernet0/0"
    assert [route.next_hops for route in found] == [
        (NextHop("fe80::2", port),),
        (NextHop(None, port),),
        (NextHop(None, port),),
        (NextHop("fe80::2", port), NextHop("fe80::3", port)),
        (NextHop("2001:db8:1::3", None),),
        (NextHop("192.0.2.2", None),),
        (),
        (),
    ]
    assert {route.vrf for route in found} == {"BLUE"}


def test_vrfs_say_what_they_route() -> None:
    assert readings.vrfs(VRF) == [
        readings.Vrf("BLUE", has_ipv4=True, has_ipv6=True),
        readings.Vrf("MGMT", has_ipv4=False, has_ipv6=True),
        readings.Vrf("RED", has_ipv4=True, has_ipv6=False),
    ]
    assert readings.vrfs(output("cisco_ios", "show_ip_vrf")) == [
        readings.Vrf("RED", has_ipv4=True, has_ipv6=False)
    ]
    assert readings.vrfs(VRF.splitlines()[0]) == readings.vrfs("") == []
