"""FRR, with vtysh or bash as the login shell."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from sdk.connection.capabilities import Configuration, Execution, Information
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail
from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route
from sdk.connection.parsing import parse_json
from sdk.connection.platforms import frr_readings, linux_readings, refusals
from sdk.connection.platforms.frr_configuration import FrrConfiguration
from sdk.connection.platforms.platform import DeviceSession, Reply
from sdk.connection.platforms.registration import register_platform
from sdk.connection.platforms.shell import ask_shell

_VERSION = "show version"
_STARTUP_FILE = "/etc/frr/frr.conf"
_LLDPCLI = "lldpcli -f json0 show neighbors"


@dataclass(frozen=True, slots=True)
class _Said:
    """A `Reply` without what vtysh says about itself."""

    text: str
    is_cut: bool


@register_platform("frr")
class Frr(FrrConfiguration):
    """Reads with `show … json`. `shell` says whether bash is the login shell: then lines go through `vtysh -c`.

    With vtysh as the login shell there is no LLDP (another program speaks it), and no file of the startup
    configuration. A request for these is refused before anything is sent.
    """

    netmiko_type = "cisco_ios"  # vtysh behaves like it, and netmiko takes bash for a prompt like any other
    capabilities = frozenset({Execution, Configuration, Information})
    is_shell = True
    refusals = re.compile(
        refusals.GENERAL.pattern + r"|^Exiting: failed to connect to any daemons",
        re.IGNORECASE | re.MULTILINE,
    )

    def __init__(self, session: DeviceSession) -> None:
        super().__init__(session)
        self.shell = False

    def after_login(self, *, deadline: Deadline) -> None:
        """Find out which login shell it is.

        Raises:
            WrongPlatformError: it is neither vtysh, nor a shell that can run vtysh.
        """
        output = self.run(_VERSION, deadline=deadline).text
        if refusals.is_foreign_shell(output):
            self.shell = True
            output = self.run(_VERSION, deadline=deadline).text
        else:
            self.run("terminal length 0", deadline=deadline)
        if not frr_readings.is_frr(output):
            raise self._wrong_platform(output)

    def run(self, line: str, *, deadline: Deadline) -> Reply:
        """Send one line for vtysh, from either login shell."""
        if not self.shell:
            return super().run(line, deadline=deadline)
        reply = super().run(f"vtysh -c {shlex.quote(line)}", deadline=deadline)
        return _Said(frr_readings.without_remark(reply.text), reply.is_cut)

    def run_in_shell(self, line: str, *, deadline: Deadline) -> Reply:
        """Send one line for the shell of the operating system.

        Raises:
            NotSupportedError: vtysh is the login shell. Nothing was sent.
        """
        if not self.shell:
            raise self.lacks(f"shell behind vtysh, which {line.split()[0]} needs")
        return self.session.send(line, deadline=deadline)

    def parse(self, command: str, output: str, *, deadline: Deadline) -> Any:
        """Return the JSON in the output. If there is none, return what the same command prints with `json` at its end.

        That needs a second line, so it may be some milliseconds younger. Commands that don't begin with `show` are
        not sent twice.
        """
        found = parse_json(output)
        words = command.split()
        if found is not None or words[:1] != ["show"] or words[-1] == "json" or "|" in command:
            return found
        reply = self.run(f"{command} json", deadline=deadline)
        return None if reply.is_cut else parse_json(reply.text)

    def get_information(self, *, deadline: Deadline) -> DeviceFacts:
        """Read `show version`. FRR is a program: there is no model, no serial number and no uptime."""
        facts = frr_readings.device_facts(self.ask(_VERSION, deadline=deadline), self.name)
        if facts is None:
            raise self.unreadable(_VERSION)
        return facts

    def get_config(self, *, deadline: Deadline, source: str = "running") -> str:
        """Read `show running-config`, or the file of the startup configuration if the login shell is bash."""
        if source not in ("running", "startup"):
            raise self.lacks(f"{source} configuration")
        if source == "startup":
            if not self.shell:
                raise self.lacks("startup configuration where vtysh is the login shell")
            return ask_shell(self, f"cat {_STARTUP_FILE}", deadline=deadline).lstrip("\n").rstrip() + "\n"
        line = "show running-config"
        config = frr_readings.configuration(self.ask(line, deadline=deadline))
        if config is None:
            raise self.unreadable(line)
        return config

    def get_interfaces(self, *, deadline: Deadline) -> list[InterfaceFacts]:
        """Read `show interface vrf all json`."""
        line = "show interface vrf all json"
        found = frr_readings.interfaces(self.ask(line, deadline=deadline))
        if found is None:
            raise self.unreadable(line)
        return found

    def get_neighbors(self, *, deadline: Deadline) -> list[Neighbor]:
        """Read `lldpcli show neighbors` of the daemon lldpd.

        Raises:
            NotSupportedError: vtysh is the login shell, and nothing was sent; or there is no lldpd.
        """
        if not self.shell:
            raise self.lacks("neighbors where vtysh is the login shell: FRR itself speaks no LLDP")
        found = linux_readings.lldp_neighbors(ask_shell(self, _LLDPCLI, deadline=deadline))
        if found is None:
            raise self.unreadable(_LLDPCLI)
        return found

    def get_routes(self, *, deadline: Deadline) -> list[Route]:
        """Read `show ip route vrf all json` and the same for IPv6: the routes of all VRFs that FRR has chosen."""
        every: list[Route] = []
        for line in ("show ip route vrf all json", "show ipv6 route vrf all json"):
            found = frr_readings.routes(self.ask(line, deadline=deadline))
            if found is None:
                raise self.unreadable(line)
            every += found
        return every

    def save_config(self, *, deadline: Deadline) -> None:
        """Send `write memory`. Raises `UnreadableAnswerError` unless FRR says that it is done."""
        line = "write memory"
        output = self.ask(line, deadline=deadline)
        # If the file keeps another owner, FRR warns, and prints this instead of [OK].
        if "[OK]" not in output and "configuration saved to" not in output:
            raise self.unreadable(
                line, f"it does not say that it has saved, but {refusals.words_of(output)!r}"
            )

    def _wrong_platform(self, output: str) -> DeviceError:
        said = refusals.words_of(output, self.refusals) or None
        return fail(Cause.WRONG_PLATFORM, self.session.where, last_line=said, platform=self.name)
