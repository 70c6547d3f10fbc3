"""Which netmiko driver speaks to which platform of the inventory."""

from netmiko import platforms as netmiko_platforms

# Short names that inventories use.
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

# Drivers for other transports, and the driver that guesses by several logins.
_NOT_SSH = ("_telnet", "_serial")
_NO_DRIVERS = frozenset({"autodetect", "terminal_server"})


def normal_name(name: str) -> str:
    """Return a platform's name in the form for a lookup: without blanks around it, in lower case."""
    return name.strip().lower()


def netmiko_device_type(name: str) -> str | None:
    """Return netmiko's device type for a platform's short name or for a device type, None if it is neither."""
    wanted = normal_name(name)
    device_type = _BY_SHORT_NAME.get(wanted, wanted)
    if device_type in _NO_DRIVERS or device_type.endswith(_NOT_SSH):
        return None
    return device_type if device_type in netmiko_platforms else None
