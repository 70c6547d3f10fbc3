"""A few harmless lines tell what answers, and what they don't tell is called unknown."""

import pytest

from sdk.connection.platforms.probing import probe
from tests.sdk.connection.platforms.outputs import output
from tests.sdk.connection.platforms.scripted_session import (
    BASH_REFUSAL,
    DEADLINE,
    FRR_REFUSAL,
    IOS_REFUSAL,
    ScriptedSession,
)

NO_PAGES = "terminal length 0"
IN_SHELL = "uname -s; cat /etc/os-release; vtysh -c 'show version'"
LINUX = "Linux\n" + output("linux", "os_release")
UNKNOWN_COMMAND = "unknown command.\n"
ASA_VERSION = "\nCisco Adaptive Security Appliance Software Version 9.12(4)37 \n"
ASA_REFUSAL = "              ^\nERROR: % Invalid input detected at '^' marker.\n"
COMWARE_VERSION = "HPE Comware Software, Version 7.1.070, Release 3208P03\nCopyright (c) 2010-2018 HPE\n"
COMWARE_REFUSAL = "         ^\n % Unrecognized command found at '^' position.\n"


def like_ios(family: str, name: str, refusal: str = IOS_REFUSAL) -> ScriptedSession:
    return ScriptedSession({NO_PAGES: "", "show version": output(family, name)}, otherwise=refusal)


@pytest.mark.parametrize(
    ("session", "platform", "release"),
    [
        (like_ios("cisco_ios", "show_version"), "ios", "15.7(3)M4a"),
        (like_ios("cisco_ios", "show_version_xe"), "iosxe", "17.03.04a"),
        (like_ios("others", "nxos"), "nxos", "9.3(6)"),
        (like_ios("others", "eos"), "eos", "4.24.2.1F"),
        (like_ios("others", "iosxr"), "iosxr", "7.3.2"),
        (like_ios("frr", "show_version", FRR_REFUSAL), "frr", "10.3"),
        (
            ScriptedSession({"show version | no-more": output("others", "junos")}, otherwise=UNKNOWN_COMMAND),
            "junos",
            "20.4R3.8",
        ),
        (
            ScriptedSession(
                {"screen-length 0 temporary": "", "display version": output("others", "vrp")},
                otherwise="Error: Unrecognized command found at '^' position.",
            ),
            "vrp",
            "8.180",
        ),
        (
            ScriptedSession(
                {"screen-length disable": "", "display version": COMWARE_VERSION}, COMWARE_REFUSAL
            ),
            "comware",
            "7.1.070",
        ),
        (
            ScriptedSession({"show version | include Adaptive": ASA_VERSION}, otherwise=ASA_REFUSAL),
            "asa",
            "9.12(4)37",
        ),
        (
            ScriptedSession(
                {"show version": "ArubaOS-CX\nVersion      : FL.10.10.1000\n"},
                otherwise="Invalid input: {line}",
            ),
            "aoscx",
            "FL.10.10.1000",
        ),
    ],
)
def test_a_network_device_is_told_by_its_version(
    session: ScriptedSession, platform: str, release: str
) -> None:
    found = probe(session, deadline=DEADLINE)

    assert (found.platform, found.software_release, found.has_shell) == (platform, release, False)
    assert found.evidence in "".join(str(text) for text in session._answers.values())
    assert IN_SHELL not in session.sent


@pytest.mark.parametrize(
    "refusal", [COMWARE_REFUSAL, COMWARE_REFUSAL.replace("Unrecognized command", "Wrong parameter")]
)
def test_the_pages_of_comware_are_turned_off_before_it_is_asked(refusal: str) -> None:
    answers = {"screen-length 0 temporary": refusal, "display version": COMWARE_VERSION}
    session = ScriptedSession(answers, otherwise=COMWARE_REFUSAL)

    assert probe(session, deadline=DEADLINE).platform == "comware"
    assert session.sent[-2:] == ["screen-length disable", "display version"]


@pytest.mark.parametrize(
    ("in_shell", "platform", "release"),
    [
        (LINUX + output("frr", "show_version"), "frr", "10.3"),
        (LINUX + "-bash: vtysh: command not found", "linux", "Debian GNU/Linux 13 (trixie)"),
        (LINUX + "Exiting: failed to connect to any daemons.", "linux", "Debian GNU/Linux 13 (trixie)"),
        ("FreeBSD\ncat: /etc/os-release: No such file or directory", None, None),
    ],
)
def test_behind_a_shell_vtysh_tells_frr_from_linux(
    in_shell: str, platform: str | None, release: str | None
) -> None:
    session = ScriptedSession({IN_SHELL: in_shell}, otherwise=BASH_REFUSAL)

    found = probe(session, deadline=DEADLINE)

    assert (found.platform, found.software_release, found.has_shell) == (platform, release, True)
    assert session.sent == [NO_PAGES, IN_SHELL]


@pytest.mark.parametrize("words", ["Goodbye.", IOS_REFUSAL, ""])
def test_what_no_signature_knows_is_unknown(words: str) -> None:
    found = probe(ScriptedSession({}, otherwise=words), deadline=DEADLINE)

    assert (found.platform, found.vendor) == (None, None)


def test_a_page_that_quotes_a_shell_is_not_asked_as_one() -> None:
    quote = "\n".join([*(f"line {number}" for number in range(9)), "-bash: show: command not found"])
    session = ScriptedSession({NO_PAGES: quote}, otherwise="")

    assert not probe(session, deadline=DEADLINE).has_shell
