"""The platforms on what they are for: the emulated IOS, and real FRR with both login shells."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from sdk.connection import Connection, Information, InterfaceState, Login, Neighbor, connect
from sdk.connection.errors import (
    ForeignShellError,
    NotSupportedError,
    RefusedCommandError,
    WrongPlatformError,
)
from sdk.testing.devices import EmulatedIos, Faults, LabDevice
from sdk.testing.frr_lab import FrrDevice
from tests.patience import PATIENCE_SECONDS

PASSWORD = "never-to-be-seen-1"


def on(device: LabDevice | FrrDevice, platform: str) -> Connection:
    login = Login(device.host, device.username, device.port, device.password)
    return connect(login, platform=platform, needs=(Information,), login_seconds=PATIENCE_SECONDS)


async def test_ios_says_all_it_knows(simple_iol: list[LabDevice]) -> None:
    async with on(simple_iol[0], "ios") as connection:
        facts = await connection.get_information()
        interfaces = await connection.get_interfaces()
        neighbors = await connection.get_neighbors()
        routes = await connection.get_routes()
        await connection.save_config()
        running, startup = await connection.get_config(), await connection.get_config(source="startup")

    assert (facts.vendor, facts.hostname, facts.platform) == ("Cisco", "r1", "ios")
    assert {item.name: item.state for item in interfaces}["GigabitEthernet0/1"] is InterfaceState.UP
    assert {(item.protocol, item.name, item.local_interface) for item in neighbors} >= {
        ("lldp", "r2", "GigabitEthernet0/1")
    }
    assert {"connected", "ospf"} <= {route.protocol for route in routes}
    assert "hostname r1" in running
    assert "hostname r1" in startup


async def test_ios_says_its_secondary_and_ipv6_addresses_and_the_routes_of_its_vrfs(
    simple_iol: list[LabDevice],
) -> None:
    lines = [
        "vrf definition RED", " rd 65000:1", " address-family ipv4", " address-family ipv6",
        "interface GigabitEthernet0/0", " ip address 198.51.100.129 255.255.255.128 secondary",
        " ipv6 address 2001:db8:1::1/64",
        "interface GigabitEthernet0/2", " vrf forwarding RED", " ip address 198.18.0.1 255.255.255.0",
        " ipv6 address 2001:db8:2::1/64", " no shutdown",
        "ip route vrf RED 198.19.0.0 255.255.0.0 198.18.0.2", "ipv6 route 2001:db8:9::/48 2001:db8:1::2",
        "ipv6 route vrf RED 2001:db8:a::/48 2001:db8:2::2",
    ]  # fmt: skip
    async with on(simple_iol[0], "ios") as connection:
        change = await connection.apply(await connection.plan(lines))
        interfaces = {each.name: each for each in await connection.get_interfaces()}
        routes = {(each.prefix, each.protocol, each.vrf) for each in await connection.get_routes()}

    assert change.not_shown == ()
    management = interfaces["GigabitEthernet0/0"]
    assert management.addresses == ("192.0.2.1/24", "198.51.100.129/25", "2001:db8:1::1/64")
    assert (interfaces["GigabitEthernet0/2"].vrf, management.vrf) == ("RED", None)
    assert routes >= {
        ("198.51.100.128/25", "connected", None),
        ("2001:db8:1::/64", "connected", None),
        ("2001:db8:9::/48", "static", None),
        ("198.18.0.0/24", "connected", "RED"),
        ("198.19.0.0/16", "static", "RED"),
        ("2001:db8:2::1/128", "local", "RED"),
        ("2001:db8:a::/48", "static", "RED"),
    }
    assert not {each for each in routes if each[0].startswith("198.18.") and each[2] is None}


@pytest.mark.needs("frr lab")
async def test_frr_says_its_secondary_and_ipv6_addresses_and_its_ipv6_routes(
    simple_frr: list[FrrDevice],
) -> None:
    lines = [
        "interface eth1", " ip address 198.18.0.1/24", " ipv6 address 2001:db8:1::1/64", "exit",
        "ipv6 route 2001:db8:9::/48 2001:db8:1::2",
    ]  # fmt: skip
    async with on(simple_frr[0], "frr") as connection:
        change = await connection.apply(await connection.plan(lines))
        try:
            interfaces = {each.name: each for each in await connection.get_interfaces()}
            wanted = {("2001:db8:1::/64", "connected"), ("2001:db8:9::/48", "static")}
            end = time.monotonic() + PATIENCE_SECONDS
            while True:  # zebra installs it by and by
                routes = {(each.prefix, each.protocol) for each in await connection.get_routes()}
                if wanted <= routes or time.monotonic() > end:
                    break
                await asyncio.sleep(0.1)
        finally:
            await change.undo()

    assert {"10.0.12.1/30", "198.18.0.1/24", "2001:db8:1::1/64"} <= set(interfaces["eth1"].addresses)
    assert routes >= wanted | {("10.255.0.3/32", "ospf")}


@pytest.mark.needs("frr lab")
async def test_frr_says_the_same_from_both_login_shells(simple_frr: list[FrrDevice]) -> None:
    first = simple_frr[0]
    said = []
    for device in (first, first.vtysh):
        async with on(device, "frr") as connection:
            routes = await connection.get_routes()
            said.append(
                (
                    await connection.get_information(),
                    await connection.get_interfaces(),
                    await connection.get_config(),
                    {(route.prefix, route.protocol, route.next_hops) for route in routes},
                )
            )

    assert said[0] == said[1]
    facts, interfaces, config, found = said[0]
    assert (facts.vendor, facts.hostname) == ("FRRouting", "r1")
    assert "10.255.0.1/32" in {address for item in interfaces for address in item.addresses}
    assert "router bgp 65001" in config
    assert {("10.255.0.3/32", "ospf"), ("172.16.3.0/24", "bgp")} <= {
        (prefix, word) for prefix, word, _ in found
    }


@pytest.mark.needs("frr lab")
async def test_frr_has_neighbors_behind_bash_and_says_that_it_can_not_behind_vtysh(
    simple_frr: list[FrrDevice],
) -> None:
    async with on(simple_frr[0], "frr") as connection:
        (neighbor,) = await _some(connection.get_neighbors)
        assert (neighbor.local_interface, neighbor.name, neighbor.interface) == ("eth1", "r2", "eth1")
        assert "hostname r1" in await connection.get_config(source="startup")
    async with on(simple_frr[0].vtysh, "frr") as connection:
        with pytest.raises(NotSupportedError, match="LLDP"):
            await connection.get_neighbors()


@pytest.mark.needs("frr lab")
async def test_a_table_of_frr_is_data_and_what_frr_refuses_is_not(simple_frr: list[FrrDevice]) -> None:
    for device in (simple_frr[0], simple_frr[0].vtysh):
        async with on(device, "frr") as connection:
            routes = await connection.send_command("show ip route", parse=True)
            refused = await connection.send_command("show nonsense", parse=True)
        assert "10.255.0.3/32" in routes.parsed
        assert (refused.is_refused, refused.parsed) == (True, None)


@pytest.mark.needs("frr lab")
async def test_frr_under_the_name_of_another_platform_is_told(simple_frr: list[FrrDevice]) -> None:
    device = simple_frr[0]
    with pytest.raises(ForeignShellError, match="command not found"):
        await _enter(on(device, "ios"))
    with pytest.raises(WrongPlatformError, match="platform linux"):
        await _enter(on(device.vtysh, "linux"))
    with pytest.raises(WrongPlatformError, match="FRRouting"):
        await _enter(on(device.vtysh, "ios"))


@pytest.mark.needs("frr lab")
async def test_the_shell_of_a_router_is_read_as_linux(simple_frr: list[FrrDevice]) -> None:
    async with on(simple_frr[0], "linux") as connection:
        facts = await connection.get_information()
        interfaces = await connection.get_interfaces()
        routes = await connection.get_routes()
        unknown = await connection.send_command("show version", parse=True)

    assert facts.hostname == "r1"
    assert {"eth0", "eth1", "lo"} <= {item.name for item in interfaces}
    assert "10.255.0.3/32" in {route.prefix for route in routes}
    assert (unknown.is_refused, unknown.parsed) == (True, None)


async def test_ios_behind_which_there_is_a_shell_is_told_at_the_login() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(bash_shell=True)) as device:
        login = Login(device.host, "admin", device.port, PASSWORD)
        with pytest.raises(ForeignShellError, match="platform ios"):
            await _enter(connect(login, platform="ios", login_seconds=PATIENCE_SECONDS))


async def test_user_mode_without_an_enable_secret_refuses_and_with_one_answers() -> None:
    async with EmulatedIos("admin", PASSWORD, enable_secret="an enable secret") as device:
        login = Login(device.host, "admin", device.port, PASSWORD)
        async with connect(login, platform="ios", login_seconds=PATIENCE_SECONDS) as connection:
            with pytest.raises(RefusedCommandError, match="Invalid input"):
                await connection.get_config()
        login = Login(device.host, "admin", device.port, PASSWORD, enable_secret="an enable secret")
        async with connect(login, platform="ios", login_seconds=PATIENCE_SECONDS) as connection:
            assert "hostname lab1" in await connection.get_config()


async def _some(read: Callable[[], Awaitable[list[Neighbor]]]) -> list[Neighbor]:
    """Return the neighbors when there are some: lldpd sends every two seconds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await read()):
            await asyncio.sleep(0.2)
    return found


async def _enter(connection: Connection) -> None:
    async with connection:
        pass
