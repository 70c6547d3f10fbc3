"""Plain Linux: a shell, and the tools that every distribution has."""

from __future__ import annotations

from sdk.connection.capabilities import Execution, Information
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import fail
from sdk.connection.information import DeviceFacts, InterfaceFacts, Neighbor, Route
from sdk.connection.platforms import linux_readings, refusals
from sdk.connection.platforms.platform import Platform
from sdk.connection.platforms.registration import register_platform
from sdk.connection.platforms.shell import ask_shell

# All in one line, because each line costs a round trip. Only root sees a serial number.
_FACTS = (
    "cat /etc/os-release; echo ---; uname -n; echo ---; cat /proc/uptime; echo ---; "
    "for fact in sys_vendor product_name product_serial; do cat /sys/class/dmi/id/$fact 2>/dev/null || echo; done"
)
_FACT_PARTS = 4
_INTERFACES = "ip -j -d address"
_ROUTES = "ip -4 -j route"
_LLDPCLI = "lldpcli -f json0 show neighbors"


@register_platform("linux")
class Linux(Platform):
    """Reads with `ip -j`, lldpd's `lldpcli` and the files of the kernel. Linux has no single configuration to read."""

    netmiko_type = "linux"
    capabilities = frozenset({Execution, Information})
    is_shell = True
    refusals = refusals.SHELL

    def after_login(self, *, deadline: Deadline) -> None:
        """Ask the kernel for its name. Raises `WrongPlatformError` unless that is Linux."""
        said = refusals.words_of(self.run("uname -s", deadline=deadline).text) or None
        if said != "Linux":
            raise fail(Cause.WRONG_PLATFORM, self.session.where, last_line=said, platform=self.name)

    def get_information(self, *, deadline: Deadline) -> DeviceFacts:
        """Read `/etc/os-release`, `/proc/uptime`, and what the board reports about its maker."""
        parts = ask_shell(self, _FACTS, deadline=deadline).replace("\r", "").split("\n---\n")
        facts = None
        if len(parts) == _FACT_PARTS:
            release, hostname, uptime, board = parts
            facts = linux_readings.device_facts(release, hostname, uptime, board, self.name)
        if facts is None:
            raise self.unreadable(_FACTS.split(";")[0])
        return facts

    def get_interfaces(self, *, deadline: Deadline) -> list[InterfaceFacts]:
        """Read `ip -j address`."""
        found = linux_readings.interfaces(ask_shell(self, _INTERFACES, deadline=deadline))
        if found is None:
            raise self.unreadable(_INTERFACES)
        return found

    def get_neighbors(self, *, deadline: Deadline) -> list[Neighbor]:
        """Read `lldpcli show neighbors`. Raises `NotSupportedError` if lldpd is not installed."""
        found = linux_readings.lldp_neighbors(ask_shell(self, _LLDPCLI, deadline=deadline))
        if found is None:
            raise self.unreadable(_LLDPCLI)
        return found

    def get_routes(self, *, deadline: Deadline) -> list[Route]:
        """Read `ip -j route`: the main table."""
        found = linux_readings.routes(ask_shell(self, _ROUTES, deadline=deadline))
        if found is None:
            raise self.unreadable(_ROUTES)
        return found
