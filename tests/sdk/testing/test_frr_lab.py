"""The lab of FRR routers: reached from outside of it, with accounts of its own, and gone with its holder."""

import json
import os
import pwd
import signal
from pathlib import Path

import paramiko  # type: ignore[import-untyped]  # ships no types
import pytest

from sdk.testing import create_workflow_context
from sdk.testing.frr_lab import FrrDevice, FrrLab, accounts, topology
from sdk.testing.frr_lab.namespaces import why_not
from tests.patience import wait_until
from tests.programs.lab import leftovers

pytestmark = pytest.mark.needs("frr lab")


def ask(device: FrrDevice, command: str) -> str:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    login = {"username": device.username, "password": device.password}
    client.connect(device.host, device.port, **login, look_for_keys=False, allow_agent=False, timeout=60)
    with client:
        _, out, _ = client.exec_command(command, timeout=60)
        return str(out.read().decode())


def test_both_accounts_reach_every_router_from_this_machine_s_network(simple_frr: list[FrrDevice]) -> None:
    assert [device.hostname for device in simple_frr] == ["r1", "r2", "r3"]
    for device in simple_frr:
        assert ask(device, "hostname").strip() == device.hostname
        assert f"({device.hostname})" in ask(device.vtysh, "show version")


def test_routes_of_ospf_and_bgp_and_neighbours_by_lldp_are_there(simple_frr: list[FrrDevice]) -> None:
    first, last = simple_frr[0], topology.ROUTERS[-1]
    routes = json.loads(ask(first.vtysh, "show ip route json"))
    assert {route["protocol"] for route in routes[f"{last.loopback}/32"]} == {"ospf"}
    assert {route["protocol"] for route in routes[last.network]} == {"bgp"}

    def neighbours() -> list[dict[str, list[dict[str, object]]]]:
        told = json.loads(ask(first, "lldpcli -f json0 show neighbors"))
        return [each for each in told["lldp"] if each.get("interface")]

    found = wait_until(neighbours, "r1 has heard of r2")
    assert "r2" in json.dumps(found)


def test_a_configuration_that_was_saved_is_the_one_it_was_started_with(simple_frr: list[FrrDevice]) -> None:
    device = simple_frr[2]
    shown = ask(device.vtysh, "show running-config")
    running = shown.partition("frr version")[2].partition("\n")[2].removesuffix("end\n").strip()
    assert running == topology.frr_conf(topology.ROUTERS[2]).strip()
    ask(device.vtysh, "write memory")
    assert running in ask(device, "cat /etc/frr/frr.conf")


def test_the_lab_s_accounts_are_in_the_lab_only_and_its_password_in_no_command_line(
    simple_frr: list[FrrDevice],
) -> None:
    assert accounts.BASH_USER in ask(simple_frr[0], "cat /etc/passwd")
    for name in (accounts.BASH_USER, accounts.VTYSH_USER):
        with pytest.raises(KeyError):
            pwd.getpwnam(name)
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                text = (process / file).read_bytes()
            except OSError:
                continue
            assert simple_frr[0].password.encode() not in text


def test_a_context_takes_the_lab_s_devices(simple_frr: list[FrrDevice]) -> None:
    context = create_workflow_context("device", 2, devices=simple_frr)
    assert context.device is not None
    assert context.device.hostname == "r2"
    assert json.loads(context.device.connection_options or "") == {"port": simple_frr[1].port}
    assert context.device.password == simple_frr[1].password


def test_nothing_of_a_lab_is_left_when_its_holder_was_killed() -> None:
    before = leftovers.accounts()
    lab = FrrLab()
    with lab as devices:
        traces = leftovers.traces_of(lab.holder_pid)
        # Of each router FRR's five, lldpd's two, sshd; of each a network.
        assert len(traces.pids) > 8 * len(devices)
        assert sum(name.startswith("net:") for name in traces.namespaces) == len(devices) + 1
        os.kill(lab.holder_pid, signal.SIGKILL)
        lab.wait()
        wait_until(lambda: not traces.left(), lambda: f"left: {traces.left()}")
    assert leftovers.accounts() == before


def test_a_machine_without_frr_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    why_not.cache_clear()
    monkeypatch.setattr("sdk.testing.frr_lab.namespaces._NEEDED", {"/nowhere/zebra": "frr"})
    try:
        assert "Missing: frr. Install them with: apt-get install" in why_not()
    finally:
        why_not.cache_clear()
