"""A lab of emulated devices, on a loop in a separate thread."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from sdk.testing.devices.emulated_ios import EmulatedIos
from sdk.testing.devices.ios_device import Link
from sdk.testing.loop_thread import LoopThread

Cable = tuple[str, str, str, str]
"""A device, its interface, another device, its interface."""

_USERNAME: Final = "lab"
_SIMPLE_IOL_CABLES: Final[Sequence[Cable]] = (("r1", "GigabitEthernet0/1", "r2", "GigabitEthernet0/1"),)


@dataclass(frozen=True, slots=True)
class LabDevice:
    """One device of a lab: how to reach it, and the device itself (`emulated`, to look at its state or change it)."""

    id: int
    hostname: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    emulated: EmulatedIos = field(repr=False)

    def to_neops_device(self) -> dict[str, Any]:
        """Return it as a job's context has it, with its password. Its connection options have the TCP port."""
        device: dict[str, Any] = self.emulated.as_context(self.id)["devices"][0]
        return device


class EmulatedLab:
    """Emulated IOS devices with these names, as long as the context lasts. It yields a list of `LabDevice`.

    Each listens on a free port of 127.0.0.1, with an account and a password that are invented for this lab::

        @pytest.fixture
        def access_layer():
            with EmulatedLab("sw1", "sw2", "sw3") as devices:
                yield devices

    `cables` connect them: each is a device, its interface, another device, its interface. The two devices see each
    other by LLDP and CDP. `ospf` configures OSPF on all of them, so each has routes to the networks of the others.
    """

    def __init__(self, *hostnames: str, cables: Sequence[Cable] = (), ospf: bool = False) -> None:
        self._hostnames = hostnames or ("lab1",)
        self._cables = cables
        self._ospf = ospf
        self._stack = contextlib.ExitStack()

    @classmethod
    def simple_iol(cls) -> Self:
        """The lab of the fixture `simple_iol`: `r1` and `r2` with a cable between them, and OSPF over it."""
        return cls("r1", "r2", cables=_SIMPLE_IOL_CABLES, ospf=True)

    def __enter__(self) -> list[LabDevice]:
        with contextlib.ExitStack() as stack:
            thread = stack.enter_context(LoopThread("emulated-lab"))
            devices = [
                self._start(stack, thread, number, name) for number, name in enumerate(self._hostnames, 1)
            ]
            self._connect({device.hostname: device for device in devices})
            self._stack = stack.pop_all()
        return devices

    def _start(self, stack: contextlib.ExitStack, thread: LoopThread, number: int, name: str) -> LabDevice:
        password = secrets.token_urlsafe(12)
        emulated = EmulatedIos(_USERNAME, password, name, number=number)
        if self._ospf:
            networks = ["network 198.51.100.0 0.0.0.3 area 0", f"network 203.0.113.{number} 0.0.0.0 area 0"]
            emulated.device.configuration.sections["router ospf 1"] = networks
        thread.call(emulated.__aenter__())
        stack.callback(lambda: thread.call(emulated.__aexit__(None, None, None)))
        return LabDevice(number, name, emulated.host, emulated.port, _USERNAME, password, emulated)

    def _connect(self, devices: dict[str, LabDevice]) -> None:
        for first, interface, second, other in self._cables:
            one, two = devices[first].emulated.device, devices[second].emulated.device
            one.links[interface] = Link(two, other)
            two.links[other] = Link(one, interface)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
