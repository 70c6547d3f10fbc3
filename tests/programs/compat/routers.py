"""The routers that jobs talk to: an emulated IOS, and the lab's real FRR, each where a worker can reach it."""

import ctypes
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from sdk.testing.devices import EmulatedIos
from sdk.testing.frr_lab import FrrDevice, FrrLab, why_not
from sdk.testing.frr_lab.topology import ROUTERS
from tests.programs.compat.processes import CompatError

SSH_PORT: Final = 22
_LOGIN, _PASSWORD = "admin", "compat-of-the-router"
_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET, setns(2)

Contexts = Mapping[str, dict[str, Any]]
"""A job's context for each router that is there, by the word in `CompatJob.router`."""


@dataclass(frozen=True, slots=True)
class Lab:
    """What runs for all modes: the routers of the lab, and the process that holds them. Empty where there is none."""

    devices: Sequence[FrrDevice] = ()
    holder_pid: int | None = None
    lacking: str = ""
    """Why there is no lab."""


@contextmanager
def started_lab() -> Iterator[Lab]:
    """Start the lab, where this machine lets it."""
    if reason := why_not():
        yield Lab(lacking=reason)
        return
    lab = FrrLab()
    with lab as devices:
        yield Lab(devices, lab.holder_pid)


@contextmanager
def network_of(lab: Lab) -> Iterator[None]:
    """Have what this thread starts be in the lab's network, where each router has an address of its own and port 22.

    The package's plugins know no other port. Raises `CompatError` where that network can't be entered.
    """
    with open("/proc/self/ns/net", "rb") as own, open(f"/proc/{lab.holder_pid}/ns/net", "rb") as inner:
        _enter(inner.fileno())
        try:
            yield
        finally:
            _enter(own.fileno())


def _enter(descriptor: int) -> None:
    # `os.setns` is there from Python 3.12 on.
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEW_NETWORK):
        reason = os.strerror(ctypes.get_errno())
        raise CompatError(
            f"The lab's network can't be entered ({reason}). The package's plugins know port 22 only, which routers "
            "have in there: run this as root."
        )


@asynccontextmanager
async def routers(lab: Lab, *, at_port_22: bool) -> AsyncIterator[Contexts]:
    """Run the emulated router, and give a context for it and one for the lab's first router.

    `at_port_22`: both at that port, for the package's own plugins. Then this has to be called in `network_of`, if
    there is a lab. Raises `CompatError` where the port is taken, or not allowed.
    """
    port = SSH_PORT if at_port_22 else 0
    try:
        async with EmulatedIos(_LOGIN, _PASSWORD, "r1", port=port) as emulated:
            yield {"ios": emulated.as_context(), **_of_the_lab(lab, at_port_22)}
    except OSError as error:
        raise CompatError(
            f"The emulated router can't listen on 127.0.0.1 port {port} ({error}). The package's plugins know no "
            "other port: run this as root, on a machine where nothing else listens there."
        ) from None


def _of_the_lab(lab: Lab, at_port_22: bool) -> dict[str, dict[str, Any]]:
    if not lab.devices:
        return {}
    device = lab.devices[0]
    if at_port_22:
        device = replace(device, host=ROUTERS[0].management_address, port=SSH_PORT)
    return {
        "frr": {"devices": [device.to_neops_device()]},
        "frr-vtysh": {"devices": [device.vtysh.to_neops_device()]},
    }
