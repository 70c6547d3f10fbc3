"""What `show` commands of IOS and IOS-XE print becomes facts, or nothing at all: never a part of a table."""

import re

import pytest

from sdk.connection.information import InterfaceState, NextHop
from sdk.connection.platforms import ios_readings
from sdk.connection.platforms.ios_configuration import IOS
from tests.sdk.connection.platforms.outputs import output


@pytest.mark.parametrize(
    ("name", "platform", "model", "release", "uptime_seconds"),
    [
        ("show_version", "ios", "CISCO2911/K9", "15.7(3)M4a", ((365 + 2 * 7 + 3) * 24 + 4) * 3600 + 300),
        ("show_version_xe", "iosxe", "CSR1000V", "17.3.4a", 5 * 3600 + 12 * 60),
    ],
)
def test_show_version_says_what_the_device_is(
    name: str, platform: str, model: str, release: str, uptime_seconds: int
) -> None:
    facts = ios_readings.device_facts(output("cisco_ios", name), platform)

    assert facts is not None
    assert (facts.platform, facts.vendor, facts.model) == (platform, "Cisco", model)
    assert (facts.software_release, facts.uptime_seconds) == (release, uptime_seconds)


def test_an_interface_has_the_state_that_the_engine_knows() -> None:
    found = ios_readings.interfaces(output("cisco_ios", "show_interfaces"))

    assert found is not None
    assert [(item.name, item.state) for item in found] == [
        ("GigabitEthernet0/0", InterfaceState.UP),
        ("GigabitEthernet0/1", InterfaceState.ADMINISTRATIVE_SHUTDOWN),
        ("GigabitEthernet0/2", InterfaceState.ERROR_DISABLED),
        ("GigabitEthernet0/3", InterfaceState.DOWN),
        ("Loopback0", InterfaceState.UP),
    ]
    first, loopback = found[0], found[-1]
    assert (first.description, first.addresses) == ("uplink to core-2", ("192.0.2.1/24",))
    assert (first.mac_address, first.mtu_bytes, first.speed_mbit) == ("02:00:5e:00:53:01", 1500, 1000)
    assert (loopback.mac_address, loopback.speed_mbit) == (None, None)


def test_an_interface_that_the_template_does_not_know_is_not_left_out() -> None:
    text = output("cisco_ios", "show_interfaces").replace(
        "GigabitEthernet0/1 is admin", "Virtual Access 7 is admin"
    )

    assert ios_readings.interfaces(text) is None


def test_lldp_neighbors_have_the_names_that_other_commands_use() -> None:
    found = ios_readings.lldp_neighbors(output("cisco_ios", "show_lldp_neighbors_detail"))

    assert found is not None
    named, silent = found
    assert (named.local_interface, named.interface) == ("GigabitEthernet0/0", "GigabitEthernet0/2")
    assert (named.name, named.address, named.capabilities) == ("core-2.example.net", "192.0.2.2", ("R",))
    # A port that is only known by its address has no name.
    assert (silent.name, silent.interface, silent.chassis_id) == (None, None, "0200.5e00.5321")


def test_cdp_neighbors_are_read_with_and_without_an_address() -> None:
    found = ios_readings.cdp_neighbors(output("cisco_ios", "show_cdp_neighbors_detail"))

    assert found is not None
    assert [(item.name, item.interface, item.address) for item in found] == [
        ("core-2.example.net", "GigabitEthernet2", "192.0.2.2"),
        ("access-7", "GigabitEthernet1/0/24", None),
    ]


@pytest.mark.parametrize("text", ["% LLDP is not enabled\n", "\nTotal entries displayed: 0\n"])
def test_no_neighbors_is_what_the_device_says_itself(text: str) -> None:
    assert ios_readings.lldp_neighbors(text) == []


def test_fewer_neighbors_than_the_device_counts_are_no_answer() -> None:
    text = output("cisco_ios", "show_lldp_neighbors_detail").replace("displayed: 2", "displayed: 3")

    assert ios_readings.lldp_neighbors(text) is None


def test_several_next_hops_of_a_prefix_are_one_route() -> None:
    found = ios_readings.routes(output("cisco_ios", "show_ip_route"))

    assert found is not None
    assert [(route.prefix, route.protocol) for route in found] == [
        ("0.0.0.0/0", "static"),
        ("192.0.2.0/24", "connected"),
        ("192.0.2.1/32", "local"),
        ("198.51.100.0/30", "ospf"),
        ("198.51.100.64/26", "ospf"),
        ("198.51.100.128/26", "bgp"),
        ("203.0.113.1/32", "connected"),
    ]
    balanced = found[4]
    assert balanced.next_hops == (
        NextHop("192.0.2.2", "GigabitEthernet0/0"),
        NextHop("192.0.2.3", "GigabitEthernet0/0"),
    )
    assert (balanced.distance, balanced.metric) == (110, 20)


@pytest.mark.parametrize(
    "where_to",
    [
        "is directly connected, Null0",
        "is a summary, 00:12:31, Null0",
        "[200/0], 00:12:31, Null0",
        "[200/0] via 0.0.0.0, 00:12:31, Null0",
    ],
)
def test_a_route_that_drops_what_it_gets_has_no_next_hop(where_to: str) -> None:
    found = ios_readings.routes(output("cisco_ios", "show_ip_route") + f"B        198.18.0.0/15 {where_to}\n")

    assert found is not None
    assert (found[-1].prefix, found[-1].next_hops) == ("198.18.0.0/15", ())


def test_a_route_that_the_template_does_not_know_is_not_left_out() -> None:
    text = output("cisco_ios", "show_ip_route") + "B        198.18.0.0/15 by a way nobody knows\n"

    assert ios_readings.routes(text) is None


def test_an_empty_table_of_routes_is_told_from_a_foreign_text() -> None:
    assert ios_readings.routes(output("cisco_ios", "show_ip_route_none")) == []
    assert ios_readings.routes(output("frr", "show_ip_route")) is None


def test_a_configuration_begins_where_the_device_has_done_talking() -> None:
    running = ios_readings.configuration(output("cisco_ios", "show_running_config"))
    startup = ios_readings.configuration(output("cisco_ios", "show_startup_config"))

    assert running is not None
    assert re.match(r"!\n! Last configuration change", running)
    assert running.endswith("!\nend\n")
    assert startup == "!\nversion 15.7\nhostname edge-1\n!\nend\n"


def test_a_startup_configuration_that_the_device_keeps_compressed_is_read() -> None:
    text = output("cisco_ios", "show_startup_config")
    compressed = (
        "Using 213 out of 2097152 bytes, uncompressed size = 140898 bytes\n"
        "Uncompressed configuration from 30125 bytes to 140898 bytes\n"
    )
    assert ios_readings.configuration(compressed + text.partition("\n")[2]) == ios_readings.configuration(
        text
    )
    # As an inventory may have it.
    assert IOS.read(compressed + text.partition("\n")[2]) == IOS.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "startup-config is not present\n",
        "% Invalid input detected\n",
        "!\nnothing of IOS\n",
        output("frr", "show_running_config"),
    ],
)
def test_a_text_without_a_configuration_is_none(text: str) -> None:
    assert ios_readings.configuration(text) is None
