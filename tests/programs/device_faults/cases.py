"""Every bad input, and what must come of it. Causes are those of `sdk.connection.causes`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sdk.testing.devices import Faults
from tests.programs.device_faults.cable import cut_cable, why_not
from tests.programs.device_faults.limits import ASKED, FAR_SECONDS, LIMIT_SECONDS
from tests.programs.device_faults.places import HOST, Place, closed_port, dropped_syn, emulated, nowhere


@dataclass(frozen=True, slots=True)
class Case:
    """One bad input. `causes`: the right ones; none where the call must work. `told`: a part of the message."""

    name: str
    place: Place = field(repr=False)
    causes: tuple[str, ...] = ()
    retryable: bool = False
    told: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    is_cut: bool = False
    is_refused: bool = False
    keeps_session: bool = False
    """Whether the session is still good after the error, and kept for the job."""
    why_not: Callable[[], str] = lambda: ""
    """Why it can't be run on this machine; empty where it can."""

    @property
    def works(self) -> bool:
        """Whether the call must answer in spite of it."""
        return not self.causes


def _works(name: str, place: Place, *, is_cut: bool = False, **parameters: Any) -> Case:
    return Case(name, place, parameters=parameters, is_cut=is_cut, keeps_session=True)


def _fails(
    name: str, place: Place, cause: str, *, retryable: bool = False, told: str = "", **parameters: Any
) -> Case:
    return Case(name, place, tuple(cause.split("|")), retryable, told, parameters)


def _platform(name: str) -> dict[str, Any]:
    return {"id": 2, "name": name, "shortName": name}


DEVICE_DATA: Final = (
    _fails("no address", nowhere(ip=None), "no_address"),
    _fails("no username", nowhere(username=None), "no_login"),
    _fails("no password", nowhere(password=None), "no_login"),
    _fails("no platform", nowhere(platform=None), "no_platform"),
    _fails("unknown platform", nowhere(platform=_platform("vax")), "unknown_platform", told="vax"),
    _fails("connection_options: no JSON", nowhere(connectionOptions="{port: 22"), "bad_connection_options"),
    _fails("connection_options: no object", nowhere(connectionOptions="[22]"), "bad_connection_options"),
    _fails(
        "connection_options: wrong port",
        nowhere(connectionOptions='{"port": "ssh"}'),
        "bad_connection_options",
    ),
)

REACHING: Final = (
    _fails("unknown name", nowhere(ip=None, hostname="device.invalid"), "unknown_name", retryable=True),
    _fails("closed port", closed_port, "unreachable", retryable=True, told="refused"),
    _fails("SYN dropped", dropped_syn, "connect_timeout", retryable=True, login_seconds=LIMIT_SECONDS),
    _fails("HTTP", emulated(Faults(http_service=True)), "not_ssh", told="HTTP"),
    _fails("telnet", emulated(Faults(telnet_service=True)), "not_ssh", told="elnet"),
    _fails(
        "no banner",
        emulated(Faults(no_banner=True)),
        "no_banner",
        retryable=True,
        login_seconds=LIMIT_SECONDS,
    ),
    _fails(
        "endless pre-banner",
        emulated(Faults(endless_banner=True)),
        "endless_banner",
        login_seconds=LIMIT_SECONDS,
    ),
    _fails(
        "no key exchange",
        emulated(Faults(no_key_exchange=True)),
        "no_key_exchange",
        retryable=True,
        login_seconds=LIMIT_SECONDS,
    ),
    _fails("no common algorithm", emulated(Faults(no_common_kex=True)), "no_common_algorithm"),
    _works("SHA-1 only", emulated(Faults(sha1_only=True))),
    Case(
        "changed host key",
        emulated(Faults(new_host_key_at=ASKED)),
        ("host_key_changed",),
        told="no password was sent",
        parameters={"connects_again": True},
        keeps_session=True,  # the one before the change
    ),
    _fails(
        "jump host down",
        emulated(options={"jump_host": {"host": HOST, "port": 1}}),
        "unreachable",
        retryable=True,
        told="jump host",
    ),
)

LOGIN: Final = (
    _fails("wrong password", emulated(password="not-this-1"), "wrong_password"),
    _fails("wrong username", emulated(username="nobody"), "wrong_password"),
    _works("keyboard-interactive only", emulated(Faults(keyboard_interactive_only=True))),
    _fails("second factor", emulated(Faults(second_factor=True)), "second_factor"),
    _fails("expired password", emulated(Faults(password_expired=True)), "expired_password"),
    _fails("expired password, in the shell", emulated(Faults(expired_in_shell=True)), "expired_password"),
    _fails(
        "never answered",
        emulated(Faults(auth_hang=True)),
        "login_timeout",
        retryable=True,
        login_seconds=FAR_SECONDS,
    ),
    _works("slow, within the limit", emulated(Faults(login_seconds=LIMIT_SECONDS / 2))),
    _fails("session limit reached", emulated(Faults(session_limit=0)), "session_limit", retryable=True),
    _fails(
        "session limit reached, in words",
        emulated(Faults(refuses_in_words=True)),
        "session_limit",
        retryable=True,
    ),
    _fails("no session after the login", emulated(Faults(no_channel=True)), "session_limit", retryable=True),
)

SESSION: Final = (
    _fails(
        "no prompt",
        emulated(Faults(no_prompt=True)),
        "no_prompt",
        retryable=True,
        login_seconds=FAR_SECONDS,
    ),
    _fails(
        "wrong platform: junos",
        emulated(platform=_platform("junos")),
        "wrong_platform",
        login_seconds=FAR_SECONDS,
    ),
    _fails("wrong platform: frr", emulated(platform=_platform("frr")), "wrong_platform"),
    _fails("wrong platform: linux", emulated(platform=_platform("linux")), "wrong_platform"),
    Case(
        "bash instead of vtysh",
        emulated(Faults(bash_shell=True)),
        ("foreign_shell",),
        told="command not found",
        keeps_session=True,
    ),
    _works("banner like a prompt", emulated(Faults(login_banner="Welcome to\nfault1#\nfault9>\n"))),
    Case(
        "user mode, and a command for privileged mode",
        emulated(enable_secret="made-up-9"),
        parameters={"command": "show running-config"},
        is_refused=True,
        keeps_session=True,
    ),
    _fails(
        "user mode, to configure", emulated(enable_secret="made-up-9"), "no_enable_secret", configures=True
    ),
    _works(
        "user mode, right secret", emulated(enable_secret="made-up-9", options={"enable_secret": "made-up-9"})
    ),
    _fails(
        "wrong enable secret",
        emulated(enable_secret="made-up-9", options={"enable_secret": "another-8"}),
        "wrong_enable_secret",
    ),
    _fails(
        "pager that stays on",
        emulated(Faults(pager_stays_on=True)),
        "pager",
        told="More",
        command="show running-config",
    ),
    _fails("question", emulated(Faults(question_at=ASKED)), "question", told="y/n"),
    _fails("question of the device", emulated(), "question", told="confirm", command="clear counters"),
    _works("changed prompt", emulated(Faults(changed_prompt_at=ASKED)), times=2),
    _fails(
        "hang",
        emulated(Faults(command_hang=ASKED)),
        "command_timeout",
        retryable=True,
        command_seconds=LIMIT_SECONDS,
    ),
    _fails(
        "endless output",
        emulated(Faults(endless_output=ASKED)),
        "command_timeout",
        retryable=True,
        command_seconds=LIMIT_SECONDS,
    ),
    _works("20 MB output", emulated(Faults(large_output=ASKED)), is_cut=True),
    _fails("drop", emulated(Faults(drop_mid_command=ASKED)), "connection_lost", retryable=True),
    _fails(
        "half-open link",
        emulated(Faults(half_open_at=ASKED)),
        "command_timeout|connection_lost",
        retryable=True,
        command_seconds=LIMIT_SECONDS,
    ),
    Case(
        "half-open link, cable cut",
        cut_cable,
        ("command_timeout", "connection_lost"),
        retryable=True,
        parameters={"command_seconds": LIMIT_SECONDS},
        why_not=why_not,
    ),
    _fails(
        "peer that stops reading",
        emulated(Faults(stops_reading_at=ASKED)),
        "command_timeout|connection_lost",
        retryable=True,
        then_bytes=4_000_000,
        command_seconds=LIMIT_SECONDS,
    ),
    _works(
        "prompt-like line, then a pause",
        emulated(Faults(outputs={ASKED: "one\nfault1#\ntwo"}, pause_in=ASKED)),
    ),
)

GROUPS: Final[dict[str, Sequence[Case]]] = {
    "device data": DEVICE_DATA,
    "reaching": REACHING,
    "login": LOGIN,
    "session": SESSION,
}
