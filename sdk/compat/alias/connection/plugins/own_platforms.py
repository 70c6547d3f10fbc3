"""Which of this worker's plugins is for which platform, and which interfaces of the other SDK it implements."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from sdk.compat.migration_hints import refusing
from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import unified_diff
from sdk.connection.changes.plan import LinesError
from sdk.connection.changes.undo import Restoration, restore_tree
from sdk.connection.deadline import Deadline

from ..capabilities.network_device_configuration import (
    ConfigApplyResult,
    NetworkDeviceConfigurationCapability,
)
from ..capabilities.network_device_information import (
    ConfigSnapshotResult,
    InformationResult,
    InterfacesResult,
    NeighborsResult,
    NetworkDeviceInformationCapability,
)
from ..detection.signatures import PlatformSignature, ShellKind
from ..exceptions import ConnectionCreationError, NeopsConnectionError, NotImplementedForThisPlatform
from ..types.base_connection import device_id_of
from ..utils.platform_mappings import NEOPS_NETMIKO_PLATFORM_MAPPING
from .own_answers import information_of, interfaces_of, neighbors_of, plan_given
from .own_plugins import CHANGE_SECONDS, READ_SECONDS, DeviceConnectionError, OwnPlugin


class ReadPlugin(OwnPlugin, NetworkDeviceInformationCapability):
    """Also reads facts, configuration, interfaces and neighbors."""

    def get_information(self) -> InformationResult:
        """What the device is."""
        return information_of(self._asked(lambda conn: conn.get_information()))

    def get_config(self) -> ConfigSnapshotResult:
        """The device's configurations."""
        return ConfigSnapshotResult(self._asked(lambda conn: conn.get_config()), self._startup())

    def _startup(self) -> str:
        try:
            return self._asked(lambda conn: conn.get_config(source="startup"))
        except DeviceConnectionError as error:
            # The device says this if nothing was ever saved. Any other error must not become an empty text.
            if "not present" in (error.last_line or ""):
                return ""
            raise

    def get_interfaces(self) -> InterfacesResult:
        """The device's interfaces."""
        return interfaces_of(self._asked(lambda conn: conn.get_interfaces()))

    def get_neighbors(self) -> NeighborsResult:
        """The device's neighbors."""
        return neighbors_of(self._asked(lambda conn: conn.get_neighbors()))


class ChangePlugin(ReadPlugin, NetworkDeviceConfigurationCapability):
    """Also changes the device, line by line. It checks the configuration afterwards, and takes refused changes back."""

    def send_configs(
        self, configs: list[str], timeout: int | None = None, expect_prompt: bool = True
    ) -> ConfigApplyResult:
        """Enter these lines in configuration mode. `expect_prompt` is not needed here."""
        return self._changed(configs, timeout)

    def merge_config(self, config: str, timeout: int | None = None) -> ConfigApplyResult:
        """Add to the running configuration."""
        return self._changed(config.splitlines(), timeout)

    def replace_running_config(self, config: str, timeout: int | None = None) -> ConfigApplyResult:
        """Replace the running configuration by this one: send the lines that differ."""
        work = _replacing(config)
        restoration, diff = self._done("replacing the configuration", work, timeout or CHANGE_SECONDS)
        if not restoration.is_restored:
            raise NeopsConnectionError(
                f"The configuration was not taken over as a whole. {restoration.difference_in_words()}"
            )
        return ConfigApplyResult(diff)

    def replace_startup_config(self, config: str, timeout: int | None = None) -> NoReturn:
        """Works only with the package: raises `NotImplementedForThisPlatform`."""
        raise NotImplementedForThisPlatform(
            "This worker does not write a startup configuration by itself. Call replace_running_config(), then "
            "save_config(); or install neops_worker_sdk beside this worker."
        )

    def save_config(self) -> None:
        """Make the running configuration the startup configuration."""
        self._asked(lambda conn: conn.save_config())

    def _changed(self, lines: Iterable[str], timeout: int | None) -> ConfigApplyResult:
        deadline = Deadline(timeout or CHANGE_SECONDS)
        configuration, dialect = self._done("reading the configuration", _read, deadline.left_seconds)
        try:
            # Not inside `_done`: there a `LinesError` would count as an error of this worker.
            plan = plan_given(configuration, lines, dialect)
        except LinesError as error:
            raise ConnectionCreationError(str(error), device_id_of(self.device)) from None
        return ConfigApplyResult(self._asked(lambda conn: conn.apply(plan, deadline.left_seconds).diff))


_MACHINE_ID: Final = "cat /etc/machine-id 2>/dev/null || echo unknown"


def _linux_information(platform: Any, deadline: Any) -> InformationResult:
    known = information_of(platform.get_information(deadline=deadline))
    said = platform.ask("show version", deadline=deadline)
    known.software_release = next(line.strip() for line in said.splitlines() if "FRRouting" in line)
    if platform.shell:
        known.model = platform.run_in_shell("uname -srm", deadline=deadline).text.strip()
        known.serial = platform.run_in_shell(_MACHINE_ID, deadline=deadline).text.strip()
    return known


def _read(platform: Any, deadline: Any) -> tuple[str, Dialect]:
    return platform.get_config(deadline=deadline), platform.dialect


def _replacing(config: str) -> Callable[[Any, Any], tuple[Restoration, str]]:
    def work(platform: Any, deadline: Any) -> tuple[Restoration, str]:
        before = platform.dialect.read(platform.get_config(deadline=deadline))
        restoration = restore_tree(platform, platform.dialect.read(config), deadline=deadline)
        now = platform.dialect.read(platform.get_config(deadline=deadline))
        return restoration, unified_diff(before, now)

    return work


class IosPlugin(ChangePlugin):
    """Cisco IOS."""

    platform = "ios"
    detection_signature = PlatformSignature("show version", r"\bIOS([ -]XE)? Software\b")

    def replace_running_config(self, config: str, timeout: int | None = None) -> ConfigApplyResult:
        """Replace the running configuration by this one, and save it, as the package does on IOS."""
        result = super().replace_running_config(config, timeout)
        self.save_config()
        return result


class FrrPlugin(ChangePlugin):
    """FRR, with vtysh or a shell as the login."""

    platform = "frr"
    detection_signature = PlatformSignature(
        "/usr/bin/vtysh -c 'show version'", r"^\s*FRRouting \S+ \(", ShellKind.POSIX_SHELL
    )

    def get_information(self) -> InformationResult:
        """What the device is. Behind a shell, as in the other SDK: the kernel as model, the machine's id as serial."""
        return self._done("reading the facts", _linux_information, READ_SECONDS)


class ProcurvePlugin(OwnPlugin):
    """Switches of HP and Aruba: commands only."""

    platform = "procurve"
    detection_signature = PlatformSignature("show version", r"Image stamp|ProCurve|ArubaOS-Switch")


class SrlPlugin(OwnPlugin):
    """Nokia SR Linux: commands only."""

    platform = "srl"
    detection_signature = PlatformSignature("show version", r"\bSR ?Linux\b", priority=50)


_WITH_CLASSES: Final[dict[str, type[OwnPlugin]]] = {
    each.platform: each for each in (IosPlugin, FrrPlugin, ProcurvePlugin, SrlPlugin)
}

OWN_PLUGINS: Final[tuple[type[OwnPlugin], ...]] = tuple(
    _WITH_CLASSES.get(name)
    or type(f"{name.title().replace('_', '')}Plugin", (OwnPlugin,), {"platform": name})
    for name in NEOPS_NETMIKO_PLATFORM_MAPPING
)
"""One plugin for each platform: everything for IOS and FRR, commands for the others."""

__getattr__ = refusing(__name__)
