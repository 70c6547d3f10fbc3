"""What distinguishes this machine from another one, as far as this process may see it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.process.small_file import read_small_file

_MACHINE_ID_FILES: Final = ("etc/machine-id", "var/lib/dbus/machine-id")
"""The second path was used before systemd (machine-id(5))."""

_HARDWARE_ID_FILES: Final = (
    "sys/class/dmi/id/product_uuid",
    "sys/hypervisor/uuid",
    "proc/device-tree/vm,uuid",
)
_CONTAINER_FILES: Final = (".dockerenv", "run/.containerenv", "run/systemd/container")
_CONTAINER_VARIABLES: Final = ("container", "KUBERNETES_SERVICE_HOST")
_BUILT_IN: Final = "0"
"""In `addr_assign_type`: the address is the device's own, not random and not set by a person."""

_MOST_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of a machine; `None` or empty if it is not known.

    `hardware_id` comes from the firmware or the hypervisor, and mostly only root may read it. `addresses` are those of
    network devices with real hardware. `boot_id` is the running kernel's.
    """

    machine_id: str | None = None
    hardware_id: str | None = None
    addresses: frozenset[str] = frozenset()
    boot_id: str | None = None
    is_container: bool = False


def this_machine(root: Path = Path("/"), environment: Mapping[str, str] | None = None) -> Machine:
    """Look at this machine. Raises nothing: what can't be read is not known.

    In a container the hardware is the host's: it says nothing about the volume with the state directory. The machine-id
    does not either: it is the image's or is made for each container, unless systemd runs there and keeps it.
    """
    is_container = _is_container(root, os.environ if environment is None else environment)
    has_machine_id = not is_container or (root / "run/systemd/system").exists()
    return Machine(
        machine_id=_machine_id(root) if has_machine_id else None,
        hardware_id=None if is_container else _hardware_id(root),
        addresses=frozenset() if is_container else _built_in_addresses(root / "sys/class/net"),
        boot_id=_text(root / "proc/sys/kernel/random/boot_id") or None,
        is_container=is_container,
    )


def _machine_id(root: Path) -> str | None:
    # Images for many machines have "uninitialized", or nothing (machine-id(5)).
    found = (_text(root / name) for name in _MACHINE_ID_FILES)
    return next((text for text in found if re.fullmatch("[0-9a-f]{32}", text)), None)


def _hardware_id(root: Path) -> str | None:
    # Boards without an id of their own report only zeros or only ones.
    found = (_text(root / name).lower() for name in _HARDWARE_ID_FILES)
    return next((text for text in found if len(set(text) - {"-"}) > 2), None)


def _is_container(root: Path, environment: Mapping[str, str]) -> bool:
    if any(environment.get(name) for name in _CONTAINER_VARIABLES):
        return True
    if any((root / name).exists() for name in _CONTAINER_FILES):
        return True
    # Some runtimes leave no other sign, but their images are layers.
    mounts = (line.split() for line in _text(root / "proc/self/mounts").splitlines())
    return any(len(fields) > 2 and fields[1:3] == ["/", "overlay"] for fields in mounts)


def _built_in_addresses(devices: Path) -> frozenset[str]:
    try:
        found = list(devices.iterdir())
    except OSError:
        return frozenset()
    return frozenset(
        address
        for device in found
        if _text(device / "addr_assign_type") == _BUILT_IN
        and (device / "device").exists()
        and (address := _text(device / "address").lower()).strip("0:")
    )


def _text(path: Path) -> str:
    try:
        return read_small_file(path, _MOST_BYTES).decode("ascii", "replace").strip(" \n\0")
    except OSError:
        return ""
