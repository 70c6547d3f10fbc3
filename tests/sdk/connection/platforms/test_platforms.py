"""A platform returns complete data, or raises what says why there is none."""

from collections import Counter
from collections.abc import Mapping
from itertools import count

import pytest

from sdk.connection.capabilities import Configuration, Execution, Information
from sdk.connection.deadline import Deadline
from sdk.connection.errors import (
    DeviceError,
    ForeignShellError,
    NotSupportedError,
    RefusedCommandError,
    UnreadableAnswerError,
    WrongPlatformError,
)
from sdk.connection.platforms.frr import Frr
from sdk.connection.platforms.generic import generic_platform
from sdk.connection.platforms.ios import Ios
from sdk.connection.platforms.linux import Linux
from sdk.connection.platforms.platform import Platform
from sdk.connection.platforms.shell_lines import with_status
from sdk.connection.questions import Questions
from sdk.connection.reading import ASKED_SECONDS
from tests.sdk.connection.platforms.outputs import output
from tests.sdk.connection.platforms.scripted_session import (
    BASH_REFUSAL,
    DEADLINE,
    FRR_REFUSAL,
    IOS_REFUSAL,
    ScriptedReply,
    ScriptedSession,
)

READS = ("get_information", "get_config", "get_interfaces", "get_neighbors", "get_routes")
IOS_ANSWERS = {
    "show version": output("cisco_ios", "show_version"),
    "show interfaces": output("cisco_ios", "show_interfaces"),
    "show lldp neighbors detail": output("cisco_ios", "show_lldp_neighbors_detail"),
    "show cdp neighbors detail": output("cisco_ios", "show_cdp_neighbors_detail"),
    "show ip interface": output("cisco_ios", "show_ip_interface"),
    "show ipv6 interface": output("cisco_ios", "show_ipv6_interface"),
    "show ip route": output("cisco_ios", "show_ip_route"),
    "show ipv6 route": output("cisco_ios", "show_ipv6_route"),
    "show vrf": output("cisco_ios", "show_vrf"),
    "show ip route vrf RED": output("cisco_ios", "show_ip_route_vrf"),
    "show ip route vrf BLUE": output("cisco_ios", "show_ip_route_none"),
    "show ipv6 route vrf BLUE": "% IPv6 routing table BLUE does not exist",
    "show ipv6 route vrf MGMT": output("cisco_ios", "show_ipv6_route"),
    "show running-config": output("cisco_ios", "show_running_config"),
    "show startup-config": output("cisco_ios", "show_startup_config"),
    "write memory": "Building configuration...\n[OK]",
}
FRR_ANSWERS = {
    "show version": output("frr", "show_version"),
    "show interface vrf all json": output("frr", "show_interface"),
    "show ip route": output("frr", "show_ip_route"),
    "show ip route json": output("frr", "show_ip_route_as_json"),
    "show ip route vrf all json": output("frr", "show_ip_route_vrf_all"),
    "show ipv6 route vrf all json": output("frr", "show_ipv6_route_vrf_all"),
    "show running-config": output("frr", "show_running_config"),
    "write memory": output("frr", "write_memory"),
    "terminal length 0": "",
}
BASH_ANSWERS = {
    **{f"vtysh -c '{line}'": text for line, text in FRR_ANSWERS.items()},
    with_status("lldpcli -f json0 show neighbors"): output("linux", "lldpcli") + "neops-exit-status:0",
    with_status("cat /etc/frr/frr.conf"): "frr version 10.3\nend\nneops-exit-status:0",
}


def ios(answers: Mapping[str, str | ScriptedReply] | None = None) -> Ios:
    return Ios(ScriptedSession({**IOS_ANSWERS, **(answers or {})}, otherwise=IOS_REFUSAL))


def frr_in_vtysh() -> Frr:
    platform = Frr(ScriptedSession(FRR_ANSWERS, otherwise=FRR_REFUSAL))
    platform.after_login(deadline=DEADLINE)
    return platform


def frr_in_bash() -> Frr:
    platform = Frr(ScriptedSession(BASH_ANSWERS, otherwise=BASH_REFUSAL))
    platform.after_login(deadline=DEADLINE)
    return platform


def sent(platform: Platform) -> list[str]:
    session = platform.session
    assert isinstance(session, ScriptedSession)
    return session.sent


def test_ios_answers_every_question() -> None:
    platform = ios()

    assert platform.get_information(deadline=DEADLINE).serial == "FGL1534A0BC"
    assert platform.get_config(deadline=DEADLINE).endswith("end\n")
    assert "hostname edge-1" in platform.get_config(deadline=DEADLINE, source="startup")
    assert len(platform.get_interfaces(deadline=DEADLINE)) == 5
    assert [item.protocol for item in platform.get_neighbors(deadline=DEADLINE)] == ["lldp"] * 2 + ["cdp"] * 2
    assert Counter(route.vrf for route in platform.get_routes(deadline=DEADLINE)) == {
        None: 15,
        "RED": 2,
        "MGMT": 8,
    }
    platform.save_config(deadline=DEADLINE)


def test_a_device_that_knows_neither_ipv6_nor_vrfs_has_its_other_routes_and_addresses() -> None:
    answers = {line: text for line, text in IOS_ANSWERS.items() if "ipv6" not in line and "vrf" not in line}
    platform = Ios(ScriptedSession(answers, otherwise=IOS_REFUSAL))

    assert len(platform.get_routes(deadline=DEADLINE)) == 7
    assert platform.get_interfaces(deadline=DEADLINE)[0].addresses[-1] == "198.51.100.1/26"
    assert sent(platform)[:4] == ["show ip route", "show ipv6 route", "show vrf", "show ip vrf"]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("show ipv6 route", "get_routes"),
        ("show vrf", "get_routes"),
        ("show ipv6 interface", "get_interfaces"),
    ],
)
def test_a_part_that_the_account_may_not_see_is_not_left_out(line: str, read: str) -> None:
    with pytest.raises(RefusedCommandError, match="uthorization failed"):
        getattr(ios({line: "% Authorization failed."}), read)(deadline=DEADLINE)
    with pytest.raises(UnreadableAnswerError, match="size limit"):
        getattr(ios({line: ScriptedReply(IOS_ANSWERS[line], is_cut=True)}), read)(deadline=DEADLINE)


@pytest.mark.parametrize("read", READS)
def test_what_ios_refuses_is_an_error_and_no_empty_list(read: str) -> None:
    platform = Ios(ScriptedSession({}, otherwise=IOS_REFUSAL))

    with pytest.raises(RefusedCommandError, match="Invalid input") as caught:
        getattr(platform, read)(deadline=DEADLINE)
    assert not caught.value.retryable


def test_neighbors_that_no_protocol_looks_for_are_not_called_none() -> None:
    off = {
        "show lldp neighbors detail": "% LLDP is not enabled",
        "show cdp neighbors detail": "% CDP is not enabled",
    }

    with pytest.raises(RefusedCommandError, match="CDP is not enabled"):
        ios(off).get_neighbors(deadline=DEADLINE)
    off.popitem()
    assert [item.protocol for item in ios(off).get_neighbors(deadline=DEADLINE)] == ["cdp", "cdp"]


@pytest.mark.parametrize(("unknown", "known"), [("lldp", "cdp"), ("cdp", "lldp")])
def test_an_image_that_knows_one_of_the_protocols_has_the_neighbors_of_that(unknown: str, known: str) -> None:
    refused = {f"show {unknown} neighbors detail": IOS_REFUSAL}
    assert [item.protocol for item in ios(refused).get_neighbors(deadline=DEADLINE)] == [known] * 2
    off = {**refused, f"show {known} neighbors detail": f"% {known.upper()} is not enabled"}
    with pytest.raises(RefusedCommandError, match=f"refused 'show {known} .*{known.upper()} is not enabled"):
        ios(off).get_neighbors(deadline=DEADLINE)
    forbidden = {**refused, f"show {known} neighbors detail": "% Authorization failed."}
    with pytest.raises(RefusedCommandError, match="uthorization failed"):
        ios(forbidden).get_neighbors(deadline=DEADLINE)


@pytest.mark.parametrize(
    "source", ["No time source, *22:40:38.097 UTC", "Time source is NTP, 13:57:04.417 UTC"]
)
def test_a_time_stamp_above_each_answer_of_ios_is_no_part_of_it(source: str) -> None:
    stamp = f"Load for five secs: 1%/0%; one minute: 2%; five minutes: 2%\n{source} Wed Oct 12 2016\n"
    platform = ios({line: f"{stamp}{text}" for line, text in IOS_ANSWERS.items()})

    assert platform.get_config(deadline=DEADLINE) == ios().get_config(deadline=DEADLINE)
    assert platform.get_interfaces(deadline=DEADLINE) == ios().get_interfaces(deadline=DEADLINE)
    assert platform.get_neighbors(deadline=DEADLINE) == ios().get_neighbors(deadline=DEADLINE)
    assert platform.get_routes(deadline=DEADLINE) == ios().get_routes(deadline=DEADLINE)
    off = ios({"show lldp neighbors detail": f"{stamp}% LLDP is not enabled"})
    assert {each.protocol for each in off.get_neighbors(deadline=DEADLINE)} == {"cdp"}


def test_a_startup_configuration_that_there_is_not_is_named() -> None:
    with pytest.raises(RefusedCommandError, match="startup-config is not present"):
        ios({"show startup-config": "startup-config is not present"}).get_config(
            deadline=DEADLINE, source="startup"
        )


@pytest.mark.parametrize("read", READS)
def test_an_answer_that_the_size_limit_has_cut_is_not_read(read: str) -> None:
    answers = {line: ScriptedReply(text, is_cut=True) for line, text in IOS_ANSWERS.items()}

    with pytest.raises(UnreadableAnswerError, match="size limit"):
        getattr(Ios(ScriptedSession(answers)), read)(deadline=DEADLINE)


@pytest.mark.parametrize("read", READS)
def test_an_answer_of_another_form_is_not_read(read: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        getattr(Ios(ScriptedSession({}, otherwise="something else")), read)(deadline=DEADLINE)


def test_frr_that_is_called_ios_is_named() -> None:
    platform = Ios(ScriptedSession(FRR_ANSWERS, otherwise=FRR_REFUSAL))

    with pytest.raises(WrongPlatformError, match="FRRouting"):
        platform.after_login(deadline=DEADLINE)
    with pytest.raises(WrongPlatformError, match="FRRouting"):
        platform.get_information(deadline=DEADLINE)


@pytest.mark.parametrize("read", READS)
def test_a_shell_behind_ios_is_named(read: str) -> None:
    platform = Ios(ScriptedSession({}, otherwise=BASH_REFUSAL))

    with pytest.raises(ForeignShellError, match="command not found"):
        getattr(platform, read)(deadline=DEADLINE)


def test_a_shell_behind_ios_is_told_at_the_login() -> None:
    with pytest.raises(ForeignShellError, match="command not found"):
        Ios(ScriptedSession({}, otherwise=BASH_REFUSAL)).after_login(deadline=DEADLINE)


def test_a_device_that_refuses_to_turn_paging_off_is_used_all_the_same() -> None:
    platform = Ios(ScriptedSession({}, otherwise=IOS_REFUSAL))

    platform.after_login(deadline=DEADLINE)

    assert sent(platform) == ["terminal length 0", "terminal width 511"]


def test_what_a_shell_says_is_no_answer_to_a_command() -> None:
    with pytest.raises(ForeignShellError):
        Ios(ScriptedSession({}, otherwise=BASH_REFUSAL)).send_command("show version", deadline=DEADLINE)


def test_a_refused_command_says_so_and_is_not_parsed() -> None:
    answer = ios().send_command("show nonsense", deadline=DEADLINE, parse=True)

    assert answer.is_refused
    assert answer.parsed is None


def test_a_cut_output_is_marked_and_not_parsed() -> None:
    text = output("cisco_ios", "show_ip_interface_brief")
    platform = ios({"show ip interface brief": ScriptedReply(text, is_cut=True)})

    answer = platform.send_command("show ip interface brief", deadline=DEADLINE, parse=True)

    assert (answer.output, answer.is_cut, answer.parsed) == (text, True, None)


@pytest.mark.parametrize("text", ["", "% Configuration buffer full", "Building configuration..."])
def test_a_configuration_is_saved_when_the_device_says_so(text: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=rf"not end in \[OK\], but in '{text}'"):
        ios({"write memory": text}).save_config(deadline=DEADLINE)


class AskingSession(ScriptedSession):
    """A device that asks `asked` before it saves, and ends in [OK] whatever the answer is."""

    def __init__(self, asked: str) -> None:
        super().__init__({})
        self._asked = asked

    def send(self, command: str, *, deadline: Deadline, questions: Questions | None = None) -> ScriptedReply:
        assert questions is not None, "nobody would answer"
        assert questions.answer_to(self._asked, ASKED_SECONDS) is not None
        return ScriptedReply(f"{self._asked}\nBuilding configuration...\n[OK]")


def test_ios_saves_over_what_another_release_has_written_and_is_told_no_where_it_asks_else() -> None:
    Ios(AskingSession("Overwrite the previous NVRAM configuration?[confirm]")).save_config(deadline=DEADLINE)
    with pytest.raises(UnreadableAnswerError, match=r"asks 'Continue\? \[no\]:', which was answered by no"):
        Ios(AskingSession("Continue? [no]: ")).save_config(deadline=DEADLINE)


class BusySession(ScriptedSession):
    """A device whose configuration another session uses: the first `times` answers say so in the words `busy`."""

    def __init__(self, busy: str, times: int) -> None:
        super().__init__(IOS_ANSWERS)
        self._busy = busy
        self._times = times

    def send(self, command: str, *, deadline: Deadline, questions: Questions | None = None) -> ScriptedReply:
        reply = super().send(command, deadline=deadline, questions=questions)
        return ScriptedReply(self._busy) if len(self.sent) <= self._times else reply


def test_ios_waits_while_another_session_uses_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdk.connection.platforms.ios._PAUSE_SECONDS", 0.01)
    busy = "startup-config file open failed (Device or resource busy)\n"
    platform = Ios(BusySession(busy, 2))
    platform.save_config(deadline=Deadline(60))
    assert sent(platform) == ["write memory"] * 3
    for source, said in (
        ("startup", "%Error opening nvram:/startup-config (Device or resource busy)\n"),
        ("running", "Unable to get configuration. Try again later.\n"),
    ):
        platform = Ios(BusySession(said, 2))
        assert "hostname edge-1" in platform.get_config(deadline=Deadline(60), source=source)
    looks = count()
    stubborn = Ios(BusySession(busy, 1_000_000))
    with pytest.raises(UnreadableAnswerError, match="resource busy"):
        stubborn.save_config(deadline=Deadline(60, lambda: float(next(looks))))
    assert len(sent(stubborn)) > 1


@pytest.mark.parametrize(
    ("text", "is_saved"),
    [
        (
            "% Warning: can't chown configuration file\nIntegrated configuration saved to /etc/frr/frr.conf",
            True,
        ),
        ("Building Configuration...\n% Can't open configuration file /etc/frr/frr.conf", False),
        ("", False),
    ],
)
def test_frr_has_saved_when_it_says_so(text: str, is_saved: bool) -> None:
    platform = Frr(ScriptedSession({**FRR_ANSWERS, "write memory": text}))

    if is_saved:
        platform.save_config(deadline=DEADLINE)
    else:
        with pytest.raises(UnreadableAnswerError):
            platform.save_config(deadline=DEADLINE)


@pytest.mark.parametrize("login", [frr_in_vtysh, frr_in_bash])
def test_frr_answers_from_both_login_shells(login: type[Frr]) -> None:
    platform = login()

    assert platform.get_information(deadline=DEADLINE).software_release == "10.3"
    assert platform.get_config(deadline=DEADLINE).startswith("frr version 10.3")
    assert len(platform.get_interfaces(deadline=DEADLINE)) == 5
    assert len(platform.get_routes(deadline=DEADLINE)) == 5
    platform.save_config(deadline=DEADLINE)
    assert platform.send_command("show ip ospf nonsense", deadline=DEADLINE).is_refused


UBUNTU = "\nCommand 'show' not found, but can be installed with:\n\nsudo apt install nmh\n"


def test_frr_answers_behind_the_shell_of_ubuntu_which_says_what_to_install() -> None:
    platform = Frr(ScriptedSession(BASH_ANSWERS, otherwise=UBUNTU))
    platform.after_login(deadline=DEADLINE)

    assert platform.shell
    assert platform.get_information(deadline=DEADLINE).software_release == "10.3"


WITHOUT_ITS_FILE = "% Can't open configuration file /etc/frr/vtysh.conf due to 'No such file or directory'.\n"


@pytest.mark.parametrize(
    "remark",
    [WITHOUT_ITS_FILE, f"{WITHOUT_ITS_FILE}Configuration file[/etc/frr/frr.conf] processing failure: 11\n"],
)
def test_what_vtysh_says_of_its_own_file_is_no_part_of_an_answer(remark: str) -> None:
    answers = {
        line: f"{remark}{text}" if line.startswith("vtysh") else text for line, text in BASH_ANSWERS.items()
    }
    refusal = f"{remark}{FRR_REFUSAL}".format(line="show nonsense")
    session = ScriptedSession({**answers, "vtysh -c 'show nonsense'": refusal}, otherwise=BASH_REFUSAL)
    platform = Frr(session)
    platform.after_login(deadline=DEADLINE)

    assert len(platform.get_interfaces(deadline=DEADLINE)) == 5
    assert len(platform.get_routes(deadline=DEADLINE)) == 5
    answer = platform.send_command("show ip route", deadline=DEADLINE, parse=True)
    assert answer.output == output("frr", "show_ip_route")
    assert answer.parsed is not None
    assert platform.send_command("show nonsense", deadline=DEADLINE).is_refused


def test_frr_asks_for_json_beside_the_text() -> None:
    answer = frr_in_vtysh().send_command("show ip route", deadline=DEADLINE, parse=True)

    assert answer.output == output("frr", "show_ip_route")
    assert answer.parsed is not None
    assert "192.0.2.0/30" in answer.parsed
    assert frr_in_vtysh().send_command("show version", deadline=DEADLINE, parse=True).parsed is None


def test_frr_has_neighbors_where_the_login_shell_can_ask_lldpd() -> None:
    (neighbor,) = frr_in_bash().get_neighbors(deadline=DEADLINE)

    assert neighbor.name == "r2"
    assert frr_in_bash().get_config(deadline=DEADLINE, source="startup") == "frr version 10.3\nend\n"


def test_what_vtysh_can_not_say_is_refused_before_anything_is_sent() -> None:
    platform = frr_in_vtysh()
    before = list(sent(platform))

    with pytest.raises(NotSupportedError, match="LLDP"):
        platform.get_neighbors(deadline=DEADLINE)
    with pytest.raises(NotSupportedError, match="startup"):
        platform.get_config(deadline=DEADLINE, source="startup")
    assert sent(platform) == before


@pytest.mark.parametrize(
    ("answers", "otherwise"),
    [({"show version": output("cisco_ios", "show_version")}, IOS_REFUSAL), ({}, BASH_REFUSAL), ({}, "")],
)
def test_what_is_not_frr_is_told_at_the_login(answers: dict[str, str], otherwise: str) -> None:
    platform = Frr(ScriptedSession(answers, otherwise=otherwise))

    with pytest.raises(WrongPlatformError, match="platform frr"):
        platform.after_login(deadline=DEADLINE)


def test_vtysh_that_reaches_no_daemon_is_no_data() -> None:
    text = "Exiting: failed to connect to any daemons.\nHint: if this seems wrong, try running me as a privileged user!"
    platform = Frr(ScriptedSession({"vtysh -c 'show version'": text}, otherwise=BASH_REFUSAL))

    with pytest.raises(WrongPlatformError, match="failed to connect"):
        platform.after_login(deadline=DEADLINE)


class VtyshInBash(ScriptedSession):
    """A shell in which `vtysh` says this, and starts where it says nothing; another session has the lock."""

    def __init__(self, said: str = "") -> None:
        super().__init__({**BASH_ANSWERS, _VTYSH: said}, otherwise=BASH_REFUSAL, prompt=_IN_BASH)
        self._said = said

    def send(self, command: str, *, deadline: Deadline) -> ScriptedReply:
        if self.prompt == _IN_VTYSH and command != "exit":
            self.sent.append(command)
            return ScriptedReply(
                "% Configuration is locked by other VTY" if command == _ENTER else FRR_REFUSAL
            )
        reply = super().send(command, deadline=deadline)
        if command in (_VTYSH, "exit"):
            self.prompt = _IN_VTYSH if command == _VTYSH and not self._said else _IN_BASH
        return reply


_IN_BASH, _IN_VTYSH, _VTYSH, _ENTER = "root@r1:~# ", "r1# ", "vtysh", "configure terminal"


def test_a_login_to_a_shell_is_in_the_shell_after_a_configuration_mode_that_is_locked() -> None:
    platform = Frr(VtyshInBash())
    platform.after_login(deadline=DEADLINE)

    with pytest.raises(RefusedCommandError, match="locked by other VTY"):
        platform.enter_configuration(deadline=DEADLINE)
    assert "neighbor" in platform.get_config(deadline=DEADLINE)


def test_a_shell_in_which_vtysh_does_not_start_is_sent_nothing_for_it() -> None:
    platform = Frr(VtyshInBash("Exiting: failed to connect to any daemons."))
    platform.after_login(deadline=DEADLINE)

    with pytest.raises(RefusedCommandError, match=r"'vtysh'.*failed to connect"):
        platform.enter_configuration(deadline=DEADLINE)
    assert sent(platform)[-1] == "vtysh"


# Of a virtual machine that says nothing of its board.
LINUX_FACTS = output("linux", "os_release") + "---\nr1\n---\n52945.25 22.93\n---\n\n\n\nneops-exit-status:0"


def linux(lldp: str, **answers: str) -> Linux:
    table = {
        "uname -s": "Linux",
        with_status("ip -j -d address"): output("linux", "ip_address") + "neops-exit-status:0",
        with_status("ip -4 -j route"): output("linux", "ip_route") + "neops-exit-status:0",
        with_status("lldpcli -f json0 show neighbors"): lldp,
        **answers,
    }
    return Linux(ScriptedSession(table, otherwise=LINUX_FACTS))


def test_linux_answers_with_its_tools() -> None:
    platform = linux(output("linux", "lldpcli") + "neops-exit-status:0")
    platform.after_login(deadline=DEADLINE)

    assert platform.get_information(deadline=DEADLINE).software_release == "Debian GNU/Linux 13 (trixie)"
    assert len(platform.get_interfaces(deadline=DEADLINE)) == 5
    assert len(platform.get_routes(deadline=DEADLINE)) == 3
    assert len(platform.get_neighbors(deadline=DEADLINE)) == 1
    with pytest.raises(NotSupportedError, match="configuration"):
        platform.get_config(deadline=DEADLINE)


@pytest.mark.parametrize(
    ("lldp", "error"),
    [
        ("-bash: lldpcli: command not found\nneops-exit-status:127", NotSupportedError),
        ("[WARN] unable to connect to socket\nneops-exit-status:1", RefusedCommandError),
        ('{"lldp": [', UnreadableAnswerError),
        ("no json\nneops-exit-status:0", UnreadableAnswerError),
    ],
)
def test_a_tool_that_fails_is_no_empty_list(lldp: str, error: type[DeviceError]) -> None:
    with pytest.raises(error):
        linux(lldp).get_neighbors(deadline=DEADLINE)


def test_what_is_not_linux_is_told_at_the_login() -> None:
    platform = Linux(ScriptedSession({}, otherwise=IOS_REFUSAL))

    with pytest.raises(WrongPlatformError, match="platform linux"):
        platform.after_login(deadline=DEADLINE)


@pytest.mark.parametrize("read", [*READS, "save_config"])
def test_a_platform_without_a_class_refuses_before_anything_is_sent(read: str) -> None:
    session = ScriptedSession({})
    platform = generic_platform("eos", "arista_eos")(session)

    with pytest.raises(NotSupportedError, match="eos"):
        getattr(platform, read)(deadline=DEADLINE)
    assert session.sent == []


def test_needs_that_a_platform_lacks_are_named() -> None:
    eos = generic_platform("eos", "arista_eos")

    eos.check_needs((Execution,), "192.0.2.1")
    with pytest.raises(NotSupportedError, match="eos, whose plugin has no configuration and no information"):
        eos.check_needs((Execution, Configuration, Information), "192.0.2.1")
