"""IOS and IOS-XE."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from sdk.connection.capabilities import Configuration, Execution, Information
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import fail
from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route
from sdk.connection.platforms import ios_ip_readings, ios_readings, refusals
from sdk.connection.platforms.ios_configuration import IosConfiguration
from sdk.connection.platforms.platform import Reply
from sdk.connection.platforms.registration import register_platform
from sdk.connection.platforms.signatures import Recognition, recognize
from sdk.connection.questions import Questions

_OWN = ("ios", "iosxe")
_VERSION = "show version"
_IN_WORDS_OF_IOS = re.compile(r"invalid input|incomplete command|authorization failed", re.IGNORECASE)
# Once after each update.
_OVER_ANOTHER_RELEASE = re.compile(
    r"overwrite the previous NVRAM configuration\?\s*\[confirm\]\s*$", re.IGNORECASE
)
_CONFIG_COMMANDS = {"running": "show running-config", "startup": "show startup-config"}
_SAVE = "write memory"
# While another session saves or reads it. The second one is an answer to `show running-config`.
_IS_IN_USE = re.compile(
    r"\(device or resource busy\)\s*\Z|^unable to get configuration\. try again later",
    re.IGNORECASE | re.MULTILINE,
)
_PAUSE_SECONDS = 2.0


@register_platform("ios", "cisco_ios")
class Ios(IosConfiguration):
    """Reads with `show`; in user mode, what that mode allows. It sends the lines below.

    Facts: `show version`. Interfaces: `show interfaces`, `show ip interface`, `show ipv6 interface`. Neighbors:
    `show lldp neighbors detail` and `show cdp neighbors detail`. Routes: `show ip route`, `show ipv6 route`, and both
    for each VRF of `show vrf`. Saving: `write memory`.
    """

    netmiko_type = "cisco_ios"
    capabilities = frozenset({Execution, Configuration, Information})
    paging_off = ("terminal length 0", "terminal width 511")
    refusals = re.compile(
        refusals.GENERAL.pattern
        + r"|^\s*%*\s*(startup-config|non-volatile configuration memory) is not present",
        re.IGNORECASE | re.MULTILINE,
    )

    def after_login(self, *, deadline: Deadline) -> None:
        """Turn paging off. A device that refuses that in other words than IOS is asked for its version.

        Raises:
            ForeignShellError: the login leads to the shell of an operating system.
            WrongPlatformError: another system answers, such as FRR.
        """
        for line in self.paging_off:
            output = self.run(line, deadline=deadline).text
            self.refuse_foreign_shell(line, output)
            if refusals.is_refusal(output) and _IN_WORDS_OF_IOS.search(output) is None:
                self._recognized(self.run(_VERSION, deadline=deadline).text)

    def complete(self, line: str, reply: Reply) -> str:
        """Return the output as on all platforms: without the time stamp that may be above it. Raises as `ask`."""
        return ios_readings.without_timestamp(super().complete(line, reply))

    def get_information(self, *, deadline: Deadline) -> DeviceFacts:
        """Read `show version`. Raises `WrongPlatformError` if another system answers it."""
        line = _VERSION
        output = self.ask(line, deadline=deadline)
        recognized = self._recognized(output)
        facts = ios_readings.device_facts(output, recognized.platform if recognized else self.name)
        if facts is None:
            raise self.unreadable(line)
        return facts

    def _recognized(self, show_version: str) -> Recognition | None:
        """Return what the answer to `show version` shows. Raises `WrongPlatformError` if it is not IOS."""
        recognized = recognize(show_version)
        if recognized is None or recognized.platform in _OWN:
            return recognized
        where = self.session.where
        raise fail(Cause.WRONG_PLATFORM, where, last_line=recognized.evidence, platform=self.name)

    def get_config(self, *, deadline: Deadline, source: str = "running") -> str:
        """Read `show running-config` or `show startup-config`, without the lines around the configuration."""
        line = _CONFIG_COMMANDS.get(source)
        if line is None:
            raise self.lacks(f"{source} configuration")
        shown = self._when_free(lambda: self.ask(line, deadline=deadline), deadline)
        config = ios_readings.configuration(shown)
        if config is None:
            raise self.unreadable(line)
        return config

    def get_interfaces(self, *, deadline: Deadline) -> list[InterfaceFacts]:
        """Read `show interfaces`, and the addresses that it does not print. Link-local addresses are left out."""
        line, ipv4_line, ipv6_line = "show interfaces", "show ip interface", "show ipv6 interface"
        found = ios_readings.interfaces(self.ask(line, deadline=deadline))
        if found is None:
            raise self.unreadable(line)
        ipv4 = ios_ip_readings.ipv4_addresses(self.ask(ipv4_line, deadline=deadline))
        if ipv4 is None:
            raise self.unreadable(ipv4_line)
        ipv6 = ios_ip_readings.ipv6_addresses(self._ask_if_known(ipv6_line, deadline) or "")
        if ipv6 is None:
            raise self.unreadable(ipv6_line)
        return ios_readings.with_addresses(found, ipv4, ipv6)

    def get_neighbors(self, *, deadline: Deadline) -> list[Neighbor]:
        """Read LLDP and CDP: a neighbor that speaks both is there twice. An image may know only one of them.

        Raises:
            RefusedCommandError: neither is enabled, so nobody knows the neighbors.
        """
        lldp, cdp = "show lldp neighbors detail", "show cdp neighbors detail"
        lldp_said = self._ask_if_known(lldp, deadline)
        cdp_said = (
            self.ask(cdp, deadline=deadline) if lldp_said is None else self._ask_if_known(cdp, deadline)
        )
        has_lldp = lldp_said is not None and not ios_readings.is_off(lldp_said, "LLDP")
        has_cdp = cdp_said is not None and not ios_readings.is_off(cdp_said, "CDP")
        if not has_lldp and not has_cdp:
            said, line = (lldp_said, lldp) if cdp_said is None else (cdp_said, cdp)
            raise fail(Cause.REFUSED_COMMAND, self.session.where, last_line=(said or "").strip(), what=line)
        by_lldp = ios_readings.lldp_neighbors(lldp_said) if lldp_said is not None else []
        by_cdp = ios_readings.cdp_neighbors(cdp_said) if cdp_said is not None else []
        if by_lldp is None or by_cdp is None:
            raise self.unreadable(lldp if by_lldp is None else cdp)
        return by_lldp + by_cdp

    def get_routes(self, *, deadline: Deadline) -> list[Route]:
        """Read `show ip route` and `show ipv6 route`: first the routes without a VRF, then those of each VRF."""
        found = self._ipv4_routes(None, deadline) + self._ipv6_routes(None, deadline)
        for vrf in self._vrfs(deadline):
            if vrf.has_ipv4:
                found += self._ipv4_routes(vrf.name, deadline)
            if vrf.has_ipv6:
                found += self._ipv6_routes(vrf.name, deadline)
        return found

    def _ipv4_routes(self, vrf: str | None, deadline: Deadline) -> list[Route]:
        line = "show ip route" if vrf is None else f"show ip route vrf {vrf}"
        found = ios_readings.routes(self.ask(line, deadline=deadline), vrf)
        if found is None:
            raise self.unreadable(line)
        return found

    def _ipv6_routes(self, vrf: str | None, deadline: Deadline) -> list[Route]:
        line = "show ipv6 route" if vrf is None else f"show ipv6 route vrf {vrf}"
        found = ios_ip_readings.ipv6_routes(self._ask_if_known(line, deadline) or "", vrf)
        if found is None:
            raise self.unreadable(line)
        return found

    def _vrfs(self, deadline: Deadline) -> list[ios_ip_readings.Vrf]:
        # The second one is for releases before 12.2(33); an image without VRFs knows neither.
        for line in ("show vrf", "show ip vrf"):
            if (said := self._ask_if_known(line, deadline)) is not None:
                found = ios_ip_readings.vrfs(said)
                if found is None:
                    raise self.unreadable(line)
                return found
        return []

    def _ask_if_known(self, line: str, deadline: Deadline) -> str | None:
        """Return what the device says, None if it has no such command.

        Raises:
            RefusedCommandError: it has the command, but the account may not send it.
        """
        reply = self.run(line, deadline=deadline)
        if self.is_refusal(reply.text) and "invalid input" in reply.text.lower():
            return None
        return self.complete(line, reply)

    def save_config(self, *, deadline: Deadline) -> None:
        """Send `write memory`, also over what another release has written, which IOS asks about.

        While another session holds the startup configuration, it tries again, for half of the time.

        Raises `UnreadableAnswerError` unless the device says that it is done.
        """
        said = self._when_free(lambda: self._save(deadline), deadline)
        if "[OK]" not in said:
            words = refusals.words_of(said, self.refusals)
            raise self.unreadable(_SAVE, f"it does not end in [OK], but in {words!r}")

    def _save(self, deadline: Deadline) -> str:
        questions = Questions({_OVER_ANOTHER_RELEASE: ""})
        said = self.complete(_SAVE, self.session.send(_SAVE, deadline=deadline, questions=questions))
        if questions.declined:  # IOS may end in [OK] also where it saves nothing then
            raise self.unreadable(_SAVE, f"it asks {questions.declined!r}, which was answered by no")
        return said

    @staticmethod
    def _when_free(ask: Callable[[], str], deadline: Deadline) -> str:
        """Return what `ask` gets when no other session uses the configuration; after half of the time, what it gets."""
        until = deadline.shorter(deadline.left_seconds / 2)
        while _IS_IN_USE.search(said := ask()) and until.left_seconds > _PAUSE_SECONDS:
            time.sleep(_PAUSE_SECONDS)
        return said


@register_platform("iosxe", "cisco_xe")
class IosXe(Ios):
    """IOS-XE: the same commands as IOS."""

    netmiko_type = "cisco_xe"
