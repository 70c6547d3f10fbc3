"""Which netmiko driver speaks to which platform of the inventory."""

from netmiko import platforms as netmiko_platforms

# Short names as inventories use them.
_BY_SHORT_NAME = {
    "aoscx": "aruba_aoscx",
    "asa": "cisco_asa",
    "comware": "hp_comware",
    "eos": "arista_eos",
    "fortios": "fortinet",
    "ios": "cisco_ios",
    "iosxe": "cisco_xe",
    "iosxr": "cisco_xr",
    "junos": "juniper_junos",
    "nxos": "cisco_nxos",
    "panos": "paloalto_panos",
    "procurve": "hp_procurve",
    "routeros": "mikrotik_routeros",
    "srl": "nokia_srl",
    "sros": "nokia_sros",
    "vrp": "huawei",
}

# Drivers of other transports, and the one that guesses by logging in several times.
_NOT_SSH = ("_telnet", "_serial")
_NO_DRIVERS = frozenset({"autodetect", "terminal_server"})


def normal_name(name: str) -> str:
    """Return a name of a platform as it is looked up: without blanks around it, in small letters."""
    return name.strip().lower()


def netmiko_device_type(name: str) -> str | None:
    """Return netmiko's device type for a platform's short name or for a device type, None for neither."""
    wanted = normal_name(name)
    device_type = _BY_SHORT_NAME.get(wanted, wanted)
    if device_type in _NO_DRIVERS or device_type.endswith(_NOT_SSH):
        return None
    return device_type if device_type in netmiko_platforms else None
