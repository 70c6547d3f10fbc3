"""What the emulated devices print is what ntc-templates read, and they see each other."""

from collections.abc import Callable

import pytest
from ntc_templates.parse import parse_output

from sdk.testing.devices import EmulatedLab
from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.ios_device import IosDevice, Link
from sdk.testing.devices.ios_state import SessionState

Row = dict[str, str]
PORT = "GigabitEthernet0/1"


@pytest.fixture
def routers() -> tuple[IosDevice, IosDevice]:
    """As in the lab, without SSH."""
    first, second = IosDevice("r1"), IosDevice("r2", number=2)
    for one, other in ((first, second), (second, first)):
        one.links[PORT] = Link(other, PORT)
        one.configuration.sections["router ospf 1"] = []
    return first, second


@pytest.fixture
def rows(routers: tuple[IosDevice, IosDevice]) -> Callable[[str], list[Row]]:
    cli = IosCli(SessionState(routers[0]))
    return lambda command: parse_output(platform="cisco_ios", command=command, data=cli.execute(command))


def test_every_table_is_parsed_with_one_row_for_each_thing(
    rows: Callable[[str], list[Row]], routers: tuple[IosDevice, IosDevice]
) -> None:
    names = list(routers[0].interfaces)
    assert [row["hostname"] for row in rows("show version")] == ["r1"]
    assert [row["interface"] for row in rows("show interfaces")] == names
    assert [row["interface"] for row in rows("show ip interface brief")] == names
    assert [row["port"] for row in rows("show interfaces description")] == ["Gi0/0", "Gi0/1", "Gi0/2", "Lo0"]
    assert [row["status"] for row in rows("show interfaces status")] == ["connected", "connected", "disabled"]


def test_an_interface_is_described_in_full(rows: Callable[[str], list[Row]]) -> None:
    by_name = {row["interface"]: row for row in rows("show interfaces")}
    up, down = by_name["GigabitEthernet0/1"], by_name["GigabitEthernet0/2"]
    assert (up["ip_address"], up["prefix_length"], up["description"], up["mtu"]) == (
        "198.51.100.1",
        "30",
        "uplink",
        "1500",
    )
    assert (up["link_status"], down["link_status"]) == ("up", "administratively down")
    assert len({row["mac_address"] for row in by_name.values()}) == 4


def test_neighbours_see_each_other_by_lldp_and_cdp(rows: Callable[[str], list[Row]]) -> None:
    (lldp,) = rows("show lldp neighbors detail")
    assert (lldp["neighbor_name"], lldp["local_interface"], lldp["neighbor_port_id"]) == (
        "r2",
        "Gi0/1",
        "Gi0/1",
    )
    assert (lldp["mgmt_address"], lldp["chassis_id"]) == ("192.0.2.2", "0200.5e00.0102")
    (cdp,) = rows("show cdp neighbors detail")
    assert (cdp["neighbor_name"], cdp["local_interface"], cdp["neighbor_interface"]) == ("r2", PORT, PORT)
    assert [row["neighbor_name"] for row in rows("show lldp neighbors")] == ["r2"]
    assert [row["neighbor_name"] for row in rows("show cdp neighbors")] == ["r2"]


def test_a_shut_port_has_no_neighbour_and_lldp_can_be_off(
    rows: Callable[[str], list[Row]], routers: tuple[IosDevice, IosDevice]
) -> None:
    routers[1].interfaces[PORT].enabled = False
    assert rows("show lldp neighbors detail") == rows("show cdp neighbors detail") == []
    routers[0].lines.remove("lldp run")
    assert IosCli(SessionState(routers[0])).execute("show lldp neighbors detail") == "% LLDP is not enabled"


def test_routes_are_connected_static_and_learned(
    rows: Callable[[str], list[Row]], routers: tuple[IosDevice, IosDevice]
) -> None:
    routers[0].lines.append("ip route 0.0.0.0 0.0.0.0 198.51.100.2")
    routes = {(row["protocol"], row["network"], row["prefix_length"]): row for row in rows("show ip route")}
    assert set(routes) == {
        ("S", "0.0.0.0", "0"),
        ("C", "192.0.2.0", "24"),
        ("L", "192.0.2.1", "32"),
        ("C", "198.51.100.0", "30"),
        ("L", "198.51.100.1", "32"),
        ("C", "203.0.113.1", "32"),
        ("O", "203.0.113.2", "32"),
    }
    assert routes["O", "203.0.113.2", "32"]["nexthop_ip"] == "198.51.100.2"


@pytest.mark.parametrize(
    ("where_to", "address", "interface", "gateway"),
    [
        ("198.51.100.2 250", "198.51.100.2", "", "198.51.100.2"),
        (f"{PORT} 198.51.100.2", "198.51.100.2", PORT, "198.51.100.2"),
        (PORT, "", PORT, "0.0.0.0"),
        ("Null0", "", "Null0", "0.0.0.0"),
    ],
)
def test_a_static_route_leads_to_an_address_over_an_interface_or_nowhere(
    routers: tuple[IosDevice, IosDevice], where_to: str, address: str, interface: str, gateway: str
) -> None:
    routers[0].lines.append(f"ip route 0.0.0.0 0.0.0.0 {where_to}")
    said = IosCli(SessionState(routers[0])).execute("show ip route")
    (row, *_) = parse_output(platform="cisco_ios", command="show ip route", data=said)
    assert (row["network"], row["nexthop_ip"], row["nexthop_if"]) == ("0.0.0.0", address, interface)
    assert f"Gateway of last resort is {gateway} to network 0.0.0.0" in said


def test_static_ipv6_routes_are_shown_in_their_vrf_and_a_line_without_a_network_nowhere(
    routers: tuple[IosDevice, IosDevice],
) -> None:
    routers[0].configuration.sections["vrf definition RED"] = []
    routers[0].lines.extend(
        [
            "ipv6 route vrf RED 2001:db8:9::/48 2001:db8:1::2",
            "ipv6 route 2001:db8:8::/48 2001:db8:1::2",
            "ipv6 route 2001:db8::1/64 2001:db8:1::2",
            "ipv6 route vrf RED",
            "ipv6 route nothing of this",
        ]
    )
    cli = IosCli(SessionState(routers[0]))
    shown = [cli.execute(f"show ipv6 route{of_vrf}") for of_vrf in ("", " vrf RED")]
    assert [[line for line in text.splitlines() if line.startswith("S ")] for text in shown] == [
        ["S   2001:DB8:8::/48 [1/0]"],
        ["S   2001:DB8:9::/48 [1/0]"],
    ]


def test_the_lab_of_the_fixture_is_this_one() -> None:
    with EmulatedLab.simple_iol() as lab:
        outputs = [
            IosCli(SessionState(device.emulated.device)).execute("show lldp neighbors") for device in lab
        ]
        assert [device.hostname for device in lab] == ["r1", "r2"]
        assert "r2 " in outputs[0]
        assert "r1 " in outputs[1]
