"""The platforms' short names in the engine, and their names in libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sdk.compat.client import library
from sdk.compat.migration_hints import refusing

from ..exceptions import PlatformNotSupportedError

NEOPS_NETMIKO_PLATFORM_MAPPING: Final = {
    "forti": "fortinet",
    "forti_vdom": "fortinet",
    "frr": "linux",
    "ios": "cisco_ios",
    "iosxr": "cisco_xr",
    "mtik": "mikrotik_routeros",
    "procurve": "hp_procurve",
    "srl": "nokia_srl",
    "wlc_aireos": "cisco_wlc_ssh",
    "wlc_ios": "cisco_ios",
}
NEOPS_NAPALM_PLATFORM_MAPPING: Final = {"ios": "ios", "iosxr": "iosxr", "wlc_ios": "ios"}
NEOPS_SCRAPLI_PLATFORM_MAPPING: Final = {"ios": "cisco_iosxe", "iosxr": "cisco_iosxr"}

_HIER_CONFIG: Final = {
    "ios": "CISCO_IOS",
    "iosxr": "CISCO_XR",
    "procurve": "HP_PROCURVE",
    "wlc_ios": "CISCO_IOS",
}


def get_netmiko_platform(device: Any) -> str:
    """Netmiko's name of a device's platform. Raises `PlatformNotSupportedError`."""
    return _of(device, NEOPS_NETMIKO_PLATFORM_MAPPING, "netmiko")


def get_napalm_platform(device: Any) -> str:
    """Napalm's name of a device's platform. Raises `PlatformNotSupportedError`."""
    return _of(device, NEOPS_NAPALM_PLATFORM_MAPPING, "napalm")


def get_scrapli_platform(device: Any) -> str:
    """Scrapli's name of a device's platform. Raises `PlatformNotSupportedError`."""
    return _of(device, NEOPS_SCRAPLI_PLATFORM_MAPPING, "scrapli")


def get_hier_config_platform(device: Any) -> Any:
    """hier_config's platform of a device; the generic one if it does not know the device's. Raises `ImportError`."""
    return hier_config_platform(short_name_of(device))


def hier_config_platform(short_name: str | None) -> Any:
    """hier_config's platform by the short name. Raises `ImportError` if that library is not installed."""
    platforms = library("hier_config").Platform
    return getattr(platforms, _HIER_CONFIG.get(short_name or "", "GENERIC"))


def short_name_of(device: Any) -> str | None:
    """The short name of a device's platform; None if it has none."""
    return getattr(getattr(device, "platform", None), "short_name", None)


def _of(device: Any, names: Mapping[str, str], library: str) -> str:
    short_name = short_name_of(device)
    if short_name is None or short_name not in names:
        number = getattr(device, "id", None)
        raise PlatformNotSupportedError(short_name, library, None if number is None else str(int(number)))
    return names[short_name]


_refuse = refusing(__name__)


def __getattr__(name: str) -> Any:
    # Not at the import: this worker does not install hier_config.
    if name == "NEOPS_HIER_CONFIG_PLATFORM_MAPPING":
        return {short_name: hier_config_platform(short_name) for short_name in _HIER_CONFIG}
    return _refuse(name)
