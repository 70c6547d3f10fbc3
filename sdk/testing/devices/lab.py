"""A lab of emulated devices, on a loop in a thread of its own."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from sdk.testing.devices.emulated_ios import EmulatedIos
from sdk.testing.loop_thread import LoopThread


@dataclass(frozen=True, slots=True)
class LabDevice:
    """One device of a lab: how to reach it, and what it is (`emulated`, to look at its state or to change it)."""

    id: int
    hostname: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    emulated: EmulatedIos = field(repr=False)

    def to_neops_device(self) -> dict[str, Any]:
        """Return it as a job's context has it, password and all. There is no field for the TCP port."""
        device: dict[str, Any] = self.emulated.as_context(self.id)["devices"][0]
        return device


class EmulatedLab:
    """Emulated IOS devices with these names while the context lasts, which yields a list of `LabDevice`.

    Each listens on a free port of 127.0.0.1, with an account and a password made up for this lab::

        @pytest.fixture
        def access_layer():
            with EmulatedLab("sw1", "sw2", "sw3") as devices:
                yield devices
    """

    def __init__(self, *hostnames: str) -> None:
        self._hostnames = hostnames or ("lab1",)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> list[LabDevice]:
        with contextlib.ExitStack() as stack:
            thread = stack.enter_context(LoopThread("emulated-lab"))
            devices = [
                self._start(stack, thread, number, name) for number, name in enumerate(self._hostnames, 1)
            ]
            self._stack = stack.pop_all()
        return devices

    def _start(self, stack: contextlib.ExitStack, thread: LoopThread, number: int, name: str) -> LabDevice:
        password = secrets.token_urlsafe(12)
        emulated = EmulatedIos("lab", password, name)
        thread.call(emulated.__aenter__())
        stack.callback(lambda: thread.call(emulated.__aexit__(None, None, None)))
        return LabDevice(number, name, emulated.host, emulated.port, "lab", password, emulated)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
