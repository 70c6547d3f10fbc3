"""Converts what a lab fixture yields to devices of a job's context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sdk.encoding import to_plain
from sdk.testing.errors import HarnessError

_ADDRESS: Final = ("ansible_host", "ip", "host")
_FROM_RAW: Final = {
    "username": ("ansible_user", "username"),
    "password": ("ansible_ssh_pass", "ansible_password", "password"),
}
"""Where the description of a device has the parts of a login: netlab uses an Ansible inventory's names for them, and
puts the address below `mgmt` (`address_in`)."""

_PLATFORM: Final = ("ansible_network_os", "netlab_device_type", "device", "platform")


def devices_of(lab: Any, taken: Iterable[Any] = ()) -> list[dict[str, Any]]:
    """Return the devices of `lab` in the form that a job's context has. New objects at each call.

    `lab` is what the fixture yielded: one device or several. A device is a `DeviceEntity`, a mapping with the
    engine's keys, an object with `to_neops_device()`, or a description of a remote lab: an object or a mapping with
    `name` and `raw`. A device without an id gets the next number that no other device here and nothing in `taken` has.

    Raises `HarnessError` for anything else, and for a lab without a device.
    """
    items = [lab] if is_one_device(lab) else list(lab) if isinstance(lab, Iterable) else [lab]
    if not items:
        raise HarnessError("The lab fixture yielded no device.", kind="empty_lab")
    devices = [_device(item) for item in items]
    used = {device.get("id") for device in devices} | set(taken)
    numbers = (number for number in range(1, len(used) + len(devices) + 2) if number not in used)
    for device in devices:
        if device.get("id") is None:
            device["id"] = next(numbers)
    return devices


def is_of_a_lab(item: Any) -> bool:
    """Whether `item` is a device in the form of a lab, not yet in the form of a job's context."""
    if hasattr(item, "to_neops_device"):
        return True
    raw = item.get("raw") if isinstance(item, Mapping) else getattr(item, "raw", None)
    return isinstance(raw, Mapping)


def address_in(raw: Mapping[str, Any]) -> Any:
    """Return the address of the device that `raw` describes, as `netlab inspect` or an inventory does; or None."""
    management = raw.get("mgmt")
    address = management.get("ipv4") if isinstance(management, Mapping) else None
    if address is not None:
        return address
    return next((raw[key] for key in _ADDRESS if raw.get(key) is not None), None)


def is_one_device(lab: Any) -> bool:
    """Whether a lab fixture yielded a single device, even if the object could be iterated over."""
    return isinstance(lab, Mapping) or hasattr(lab, "to_neops_device") or hasattr(lab, "model_dump")


def _device(item: Any) -> dict[str, Any]:
    convert = getattr(item, "to_neops_device", None)
    if convert is not None:
        item = convert()
    raw = item.get("raw") if isinstance(item, Mapping) else getattr(item, "raw", None)
    if isinstance(raw, Mapping):
        name = item.get("name") if isinstance(item, Mapping) else getattr(item, "name", None)
        return dict(_from_raw(name, raw))
    dump = getattr(item, "model_dump", None)
    plain = to_plain(dump(mode="json", by_alias=True) if dump else item, "lab device")
    if not isinstance(plain, dict):
        raise HarnessError(
            f"The lab fixture yielded a {type(item).__name__}, which is no device. Yield DeviceEntity objects, "
            "mappings with the engine's keys, or objects with to_neops_device().",
            kind="no_device",
        )
    return {key: value for key, value in plain.items() if value is not None}


def _from_raw(name: Any, raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "hostname", name or raw.get("name")
    address = address_in(raw)
    if address is not None:
        yield "ip", address
    for key, candidates in _FROM_RAW.items():
        for candidate in candidates:
            if raw.get(candidate) is not None:
                yield key, raw[candidate]
                break
    for candidate in _PLATFORM:
        if raw.get(candidate) is not None:
            short = str(raw[candidate]).rpartition(".")[2]  # cisco.ios.ios
            yield "platform", {"id": 1, "name": short, "shortName": short}
            break
