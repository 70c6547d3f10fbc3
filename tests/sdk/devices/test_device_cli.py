"""The emulated command line, without a terminal."""

import pytest

from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.ios_device import IosDevice
from sdk.testing.devices.ios_state import Mode, SessionState


@pytest.fixture
def device() -> IosDevice:
    return IosDevice("lab1")


@pytest.fixture
def cli(device: IosDevice) -> IosCli:
    return IosCli(SessionState(device))


def typed(cli: IosCli, *lines: str) -> str:
    """Type the lines; return the output of the last one."""
    return [cli.execute(line) for line in lines][-1]


def test_the_prompt_tells_the_mode(cli: IosCli) -> None:
    prompts = []
    for line in ("conf t", "int gi0/1", "exit", "end", "disable"):
        cli.execute(line)
        prompts.append(cli.state.prompt())
    assert prompts == ["lab1(config)#", "lab1(config-if)#", "lab1(config)#", "lab1#", "lab1>"]


def test_a_new_hostname_is_in_the_next_prompt_and_cut_to_twenty_characters_in_config_mode(
    cli: IosCli,
) -> None:
    typed(cli, "conf t", "hostname a-rather-long-name-for-it")
    assert cli.state.prompt() == "a-rather-long-name-f(config)#"
    cli.execute("end")
    assert cli.state.prompt() == "a-rather-long-name-for-it#"


def test_an_error_marker_stands_under_the_wrong_word(cli: IosCli) -> None:
    marker, error, blank = cli.execute("show vrsion").split("\n")
    assert (marker, error, blank) == (
        " " * len("lab1#show ") + "^",
        "% Invalid input detected at '^' marker.",
        "",
    )


def test_the_marker_is_right_behind_do_as_well(cli: IosCli) -> None:
    marker = typed(cli, "conf t", "do show vrsion").split("\n")[0]
    assert marker == " " * len("lab1(config)#do show ") + "^"


def test_user_mode_does_not_know_the_privileged_commands(cli: IosCli) -> None:
    assert "% Invalid input" in typed(cli, "disable", "show running-config")
    assert "% Invalid input" in cli.execute("configure terminal")
    assert "Version" in cli.execute("show version")


def test_enable_asks_for_the_secret_and_takes_only_the_right_one() -> None:
    cli = IosCli(SessionState(IosDevice("lab1", enable_secret="open"), mode=Mode.USER))
    cli.execute("enable")
    assert (cli.state.prompt(), cli.state.question is not None and cli.state.question.secret) == (
        "Password: ",
        True,
    )
    assert [cli.execute("wrong") for _ in range(3)] == ["", "", "% Bad secrets\n"]
    assert cli.state.prompt() == "lab1>"
    typed(cli, "enable", "open")
    assert cli.state.prompt() == "lab1#"


def test_the_enable_secret_is_in_no_output() -> None:
    device = IosDevice("lab1", enable_secret="open-sesame")
    cli = IosCli(SessionState(device))
    assert "open-sesame" not in cli.execute("show running-config") + repr(device)


def test_configuration_of_an_interface_is_seen_by_the_show_commands(cli: IosCli, device: IosDevice) -> None:
    lines = (
        "conf t",
        "interface gi 0/2",
        "desc To r2",
        "ip addr 192.0.2.5 255.255.255.252",
        "no shut",
        "end",
    )
    typed(cli, *lines)
    assert (
        "interface GigabitEthernet0/2\n description To r2\n ip address 192.0.2.5" in device.running_config()
    )
    (row,) = [line for line in cli.execute("sh ip int br").splitlines() if "net0/2" in line]
    assert row.split() == ["GigabitEthernet0/2", "192.0.2.5", "YES", "manual", "up", "up"]


def test_the_no_forms_take_it_back(cli: IosCli, device: IosDevice) -> None:
    before = device.running_config()
    typed(
        cli,
        "conf t",
        "int gi0/0",
        "shutdown",
        "no ip address",
        "no description",
        "exit",
        "ntp server 192.0.2.9",
    )
    assert device.running_config() != before
    lines = (
        "int gi0/0",
        "no shutdown",
        "ip address 192.0.2.1 255.255.255.0",
        "description management",
        "exit",
    )
    typed(cli, *lines, "no ntp server 192.0.2.9", "end")
    assert device.running_config() == before


def test_a_global_command_leaves_the_interface(cli: IosCli) -> None:
    typed(cli, "conf t", "int gi0/1", "hostname r9")
    assert cli.state.prompt() == "r9(config)#"


@pytest.mark.parametrize("name", ["gi0/9", "tunnel0", "0/1", "Gi0/1.100"])
def test_an_interface_that_the_device_does_not_have_is_refused(cli: IosCli, name: str) -> None:
    assert "% No such interface" in typed(cli, "conf t", f"interface {name}")
    assert cli.state.mode is Mode.CONFIG


def test_a_loopback_comes_into_being_when_it_is_named(cli: IosCli, device: IosDevice) -> None:
    typed(cli, "conf t", "int lo7", "end")
    assert "interface Loopback7" in device.running_config()


def test_an_address_with_a_wrong_mask_changes_nothing(cli: IosCli, device: IosDevice) -> None:
    before = device.running_config()
    assert "% Bad address or mask" in typed(cli, "conf t", "int gi0/1", "ip address 192.0.2.1 255.0.255.0")
    assert device.running_config() == before


@pytest.mark.parametrize("lines", [("write memory",), ("write",), ("copy run start", "")])
def test_every_way_to_save_keeps_the_running_configuration(cli: IosCli, lines: tuple[str, ...]) -> None:
    assert cli.execute("show startup-config") == "startup-config is not present"
    assert "[OK]" in typed(cli, "conf t", "hostname kept", "end", *lines)
    assert "hostname kept" in cli.execute("show startup-config")


@pytest.mark.parametrize(
    ("filtered", "expected"),
    [
        ("| include host", ["hostname lab1"]),
        ("| begin line vty", ["line vty 0 4", " transport input ssh", "!", "end"]),
    ],
)
def test_an_output_can_be_filtered(cli: IosCli, filtered: str, expected: list[str]) -> None:
    assert cli.execute(f"show running-config {filtered}").splitlines() == expected


def test_an_output_can_be_filtered_by_what_must_not_be_there(cli: IosCli) -> None:
    assert "Loopback0" not in cli.execute("show ip interface brief | exclude Loop")


def test_an_unknown_filter_is_invalid_input(cli: IosCli) -> None:
    assert "% Invalid input" in cli.execute("show clock | redirect flash:x")


@pytest.mark.parametrize("line", ["exit", "quit", "logout"])
def test_leaving_closes_the_session(cli: IosCli, line: str) -> None:
    cli.execute(line)
    assert cli.state.closed


@pytest.mark.parametrize("line", ["", "   ", "! a comment"])
def test_blank_lines_and_comments_say_nothing(cli: IosCli, line: str) -> None:
    assert cli.execute(line) == ""


def test_two_sessions_see_one_configuration(device: IosDevice) -> None:
    first, second = IosCli(SessionState(device)), IosCli(SessionState(device))
    typed(first, "conf t", "hostname shared")
    assert second.state.prompt() == "shared#"


@pytest.mark.parametrize(
    "lines",
    [
        ("interface Loopback5", "description five", "ip address 203.0.113.5 255.255.255.255"),
        ("router bgp 65001", "neighbor 198.51.100.2 remote-as 65002", "bgp router-id 192.0.2.1"),
        ("vlan 9", "name users"),
        ("key chain K", "key 1", "key-string one", "exit", "key 2", "key-string two", "key chain L", "key 3"),
        ("ip access-list extended EDGE", "permit ip any any"),
        ("ip route 10.0.0.0 255.0.0.0 198.51.100.2",),
        ("interface gi0/2", "no shutdown", "mtu 1400"),
    ],
)
def test_a_section_can_be_configured_and_replaced_by_what_was_before(
    cli: IosCli, device: IosDevice, lines: tuple[str, ...]
) -> None:
    before = device.running_config()
    typed(cli, "copy running-config flash:before", "")
    assert [cli.execute(line) for line in ("conf t", *lines, "end")][1:] == [""] * (len(lines) + 1)
    changed = device.running_config()
    assert changed != before
    assert "Rollback Done" in typed(cli, "configure replace flash:before force")
    assert device.running_config() == before
    # And forward again: what it prints is what it takes.
    device.files["flash:changed"] = changed
    typed(cli, "configure replace flash:changed force")
    assert device.running_config() == changed


def test_replacing_asks_unless_it_is_forced(cli: IosCli, device: IosDevice) -> None:
    typed(cli, "copy running-config flash:before", "", "conf t", "hostname other", "end")
    assert "all necessary additions and deletions" in cli.execute("configure replace flash:before")
    assert cli.state.prompt().endswith("[no]: ")
    assert cli.execute("") == "Rollback aborted."
    assert device.hostname == "other"
    typed(cli, "configure replace flash:before", "y")
    assert device.hostname == "lab1"
    assert "No such file" in cli.execute("configure replace flash:nothing force")


def test_the_configuration_does_not_depend_on_the_order_in_which_it_was_typed(
    cli: IosCli, device: IosDevice
) -> None:
    typed(cli, "conf t", "ntp server 192.0.2.9", "ntp server 192.0.2.10", "int lo2", "int lo1", "end")
    first = device.running_config()
    typed(
        cli,
        "conf t",
        "no int lo1",
        "no ntp server 192.0.2.9",
        "int lo1",
        "exit",
        "ntp server 192.0.2.9",
        "end",
    )
    assert device.running_config() == first


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no ip route 10.0.0.0 255.0.0.0 192.0.2.9", "%No matching route"),
        ("no interface gi0/1", "Removal of physical"),
        ("router ospf core", "% Invalid value"),
        ("frobnicate", "% Invalid input"),
        ("hostname", "% Incomplete command"),
    ],
)
def test_a_line_that_it_does_not_take_is_refused_and_changes_nothing(
    cli: IosCli, device: IosDevice, line: str, said: str
) -> None:
    before = device.running_config()
    assert said in typed(cli, "conf t", line)
    assert device.running_config() == before
