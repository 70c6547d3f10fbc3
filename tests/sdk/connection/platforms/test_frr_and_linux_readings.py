"""What FRR and the tools of Linux print becomes facts: the outputs are of real ones."""

import json

import pytest

from sdk.connection.information import InterfaceState, NextHop
from sdk.connection.platforms import frr_readings, linux_readings
from tests.sdk.connection.platforms.outputs import output


def test_frr_says_its_release_and_its_name() -> None:
    facts = frr_readings.device_facts(output("frr", "show_version"), "frr")

    assert facts is not None
    assert (facts.vendor, facts.software_release, facts.hostname) == ("FRRouting", "10.3", "r1")
    assert (facts.model, facts.serial, facts.uptime_seconds) == (None, None, None)


def test_frr_interfaces_have_state_and_all_addresses() -> None:
    found = frr_readings.interfaces(output("frr", "show_interface"))

    assert found is not None
    by_name = {item.name: item for item in found}
    assert set(by_name) == {"eth1", "eth2", "lo", "peer1", "peer2"}
    first = by_name["eth1"]
    assert (first.state, first.description, first.mtu_bytes) == (InterfaceState.UP, "to r2", 1500)
    assert {"192.0.2.1/30", "2001:db8::1/64"} <= set(first.addresses)
    assert first.vrf is None
    assert by_name["eth2"].state is InterfaceState.ADMINISTRATIVE_SHUTDOWN


def test_frr_routes_are_the_chosen_ones() -> None:
    found = frr_readings.routes(output("frr", "show_ip_route_as_json"))

    assert found is not None
    assert [(route.prefix, route.protocol) for route in found] == [
        ("192.0.2.0/30", "connected"),
        ("192.0.2.1/32", "local"),
        ("198.18.0.0/15", "static"),
        ("198.51.100.0/24", "static"),
        ("203.0.113.1/32", "connected"),
    ]
    assert found[2].next_hops == ()  # dropped
    assert found[3].next_hops == (NextHop("192.0.2.2", "eth1"), NextHop("192.0.2.3", "eth1"))


@pytest.mark.parametrize("text", ["", "% Unknown command", "[]", "r1#"])
def test_what_is_not_the_json_of_frr_is_none(text: str) -> None:
    assert frr_readings.interfaces(text) is None
    assert frr_readings.routes(text) is None


def test_the_configuration_of_frr_begins_with_its_version() -> None:
    config = frr_readings.configuration(output("frr", "show_running_config"))

    assert config is not None
    assert config.startswith("frr version 10.3\nfrr defaults datacenter\n")
    assert config.endswith("!\nend\n")
    assert frr_readings.configuration("% Unknown command") is None


def test_linux_interfaces_have_state_and_addresses() -> None:
    found = linux_readings.interfaces(output("linux", "ip_address"))

    assert found is not None
    by_name = {item.name: item for item in found}
    assert by_name["eth1"].state is InterfaceState.UP
    assert "192.0.2.1/30" in by_name["eth1"].addresses
    assert by_name["eth2"].state is InterfaceState.ADMINISTRATIVE_SHUTDOWN
    assert by_name["lo"].mac_address is None


def test_linux_routes_have_words_that_all_platforms_share() -> None:
    found = linux_readings.routes(output("linux", "ip_route"))

    assert found is not None
    assert [(route.prefix, route.protocol, route.next_hops) for route in found] == [
        ("192.0.2.0/30", "connected", (NextHop(None, "eth1"),)),
        ("198.18.0.0/15", "static", ()),
        ("198.51.100.0/24", "static", ()),
    ]


def test_lldpd_says_the_name_of_a_port_that_it_knows_by_address() -> None:
    found = linux_readings.lldp_neighbors("a warning\n" + output("linux", "lldpcli"))

    assert found is not None
    (neighbor,) = found
    assert (neighbor.protocol, neighbor.local_interface) == ("lldp", "eth1")
    assert (neighbor.name, neighbor.interface) == ("r2", "peer1")
    assert (neighbor.address, neighbor.capabilities) == ("203.0.113.1", ("Router",))


def test_lldpd_without_neighbors_is_told_from_no_answer() -> None:
    assert linux_readings.lldp_neighbors(output("linux", "lldpcli_none")) == []
    assert linux_readings.lldp_neighbors("[WARN/control] unable to connect to socket") is None


def test_linux_says_its_distribution_and_what_the_board_is() -> None:
    release = output("linux", "os_release")

    facts = linux_readings.device_facts(
        release, "r1\n", "52945.25 22111.93\n", "ACME\nDefault string\n\n", "linux"
    )

    assert facts is not None
    assert (facts.hostname, facts.vendor, facts.model, facts.serial) == ("r1", "ACME", None, None)
    assert (facts.software_release, facts.uptime_seconds) == ("Debian GNU/Linux 13 (trixie)", 52945)


def test_frr_s_routes_of_all_vrfs_are_read_from_either_form() -> None:
    text = output("frr", "show_ip_route_vrf_all")
    found = frr_readings.routes(text)

    assert found is not None
    assert [(route.prefix, route.protocol, route.vrf) for route in found] == [
        ("192.0.2.0/30", "connected", None),
        ("198.51.100.0/24", "static", None),
        ("203.0.113.0/24", "kernel", "red"),
    ]
    tables = json.loads(text)
    assert frr_readings.routes("\n".join(json.dumps(table) for table in tables.values())) == found
    assert frr_readings.routes(text[:-20]) is None


def test_frr_s_ipv6_routes_are_those_that_are_used() -> None:
    found = frr_readings.routes(output("frr", "show_ipv6_route_vrf_all"))

    assert found is not None
    assert [(route.prefix, route.next_hops) for route in found] == [
        ("2001:db8::/64", (NextHop(None, "eth1"),)),
        ("2001:db8:5::/48", (NextHop("2001:db8::2", "eth1"),)),
    ]


def frr_hop(address: str, **more: object) -> dict[str, object]:
    return {"ip": address, "afi": "ipv4", "active": True, **more}


IBGP = frr_hop("203.0.113.2", recursive=True)
ONE, TWO = (NextHop(f"192.0.2.{number}", f"eth{number}") for number in (1, 2))


@pytest.mark.parametrize(
    ("hops", "ways"),
    [
        # Newer releases mark what an address is reached over (`resolver`), older ones don't.
        ([IBGP, frr_hop("192.0.2.1", interfaceName="eth1", fib=True)], (ONE,)),
        ([IBGP, frr_hop("192.0.2.1", interfaceName="eth1", fib=True, resolver=True)], (ONE,)),
        (
            [
                IBGP,
                *(frr_hop(f"192.0.2.{each}", interfaceName=f"eth{each}", resolver=True) for each in (1, 2)),
            ],
            (ONE, TWO),
        ),
        (
            [
                frr_hop("192.0.2.1", interfaceName="eth1"),
                IBGP,
                frr_hop("192.0.2.1", interfaceName="eth1", resolver=True, duplicate=True),
            ],
            (ONE,),
        ),
        ([IBGP, {"unreachable": True, "blackhole": True, "active": True, "resolver": True}], ()),
        # As a release would say it that does not list what the address is reached over.
        ([IBGP], (NextHop("203.0.113.2"),)),
    ],
)
def test_a_route_of_frr_has_each_way_that_packets_take_once(
    hops: list[dict[str, object]], ways: tuple[NextHop, ...]
) -> None:
    route = {"prefix": "198.51.100.0/24", "protocol": "bgp", "selected": True, "nexthops": hops}
    found = frr_readings.routes(json.dumps({"198.51.100.0/24": [route]}))

    assert found is not None
    assert found[0].next_hops == ways
