"""The platforms on what they are for: the emulated IOS, and real FRR with both login shells."""

import asyncio
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
