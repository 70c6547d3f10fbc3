"""Devices whose configuration a case changes: emulated ones and, where there can be a lab, real routers."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from sdk.connection import Configuration, Login, connect
from sdk.testing.devices import EmulatedIos, Faults
from sdk.testing.frr_lab import FrrDevice
from sdk.testing.loop_thread import LoopThread
from tests.programs.device_faults.places import USERNAME, Device


class Changed(Protocol):
    """A device under change."""

    context: Device
    """It as a job's context has it, with its configuration of now as that of the inventory."""

    def configuration(self) -> str:
        """Return its running configuration, without what changes by itself."""
        ...

    def configured(self) -> bool | None:
        """Whether somebody has entered its configuration mode since it was started; None where nobody can tell."""
        ...

    def heal(self) -> None:
        """Take its faults away."""
        ...


Prepare = Callable[[EmulatedIos], None]
ChangePlace = Callable[[LoopThread], AbstractContextManager[Changed]]


class ChangedIos:
    """An emulated IOS."""

    def __init__(self, ios: EmulatedIos) -> None:
        self._ios = ios
        self._check_password = ios._check_password
        self.context = ios.as_context()["devices"][0] | {"currentConfiguration": ios.device.running_config()}

    def configuration(self) -> str:
        return self._ios.device.running_config()

    def configured(self) -> bool:
        return any(command.startswith("configure terminal") for command in self._ios.typed)

    def heal(self) -> None:
        self._ios.faults = Faults(management_interface=self._ios.faults.management_interface)
        self._ios._check_password = self._check_password  # type: ignore[method-assign]


def ios(
    faults: Faults | None = None, *, prepare: Prepare = lambda _: None, minute_seconds: float = 60.0
) -> ChangePlace:
    """An emulated IOS. `prepare` scripts what no fault does; `minute_seconds` is how long a minute of its timers is."""

    @contextlib.contextmanager
    def place(loop: LoopThread) -> Iterator[Changed]:
        device = EmulatedIos(
            USERNAME, secrets.token_urlsafe(12), "fault1", faults=faults, minute_seconds=minute_seconds
        )
        prepare(device)
        loop.call(device.__aenter__())
        try:
            yield ChangedIos(device)
        finally:
            loop.call(device.__aexit__(None, None, None))

    return place


def at(command: str, do: Callable[[EmulatedIos], object], *, time: int = 1) -> Prepare:
    """Do something to the device when `command` is typed for the `time`th time, before it is answered."""

    def prepare(device: EmulatedIos) -> None:
        note = device._note

        def noted(typed: str) -> None:
            note(typed)
            if typed == command and device.typed.count(command) == time:
                do(device)

        device._note = noted  # type: ignore[method-assign]

    return prepare


def somebody_changes(device: EmulatedIos) -> None:
    """Have somebody else add a line."""
    device.device.configuration.lines.append("logging host 192.0.2.9")


def reboots(device: EmulatedIos) -> None:
    """Restart it with its startup configuration, which is what it had before the change."""
    device.device.reload()


def lets_nobody_in(device: EmulatedIos) -> None:
    """Refuse every further login."""
    device._check_password = lambda username, password: False  # type: ignore[method-assign]


def is_saved(device: EmulatedIos) -> None:
    """Have what it runs as its startup configuration."""
    device.device.startup_config = device.device.running_config()


def both(*steps: Prepare) -> Prepare:
    """Prepare it in several ways."""

    def prepare(device: EmulatedIos) -> None:
        for step in steps:
            step(device)

    return prepare


_FRR_SECONDS: Final = 20.0


class ChangedFrr:
    """A router of the lab, reached by one of its two logins."""

    def __init__(self, router: FrrDevice) -> None:
        self._router = router
        self.context = router.to_neops_device() | {"id": 1, "currentConfiguration": self.configuration()}

    def configuration(self) -> str:
        return asyncio.run(self._read())

    def configured(self) -> None:
        return None

    def heal(self) -> None:
        pass  # it has no faults

    async def _read(self) -> str:
        there = self._router.vtysh
        login = Login(host=there.host, port=there.port, username=there.username, password=there.password)
        needs = (Configuration,)
        async with connect(
            login, platform="frr", needs=needs, login_seconds=_FRR_SECONDS, host_keys="off"
        ) as conn:
            return await conn.get_config(timeout=_FRR_SECONDS)


def frr(routers: Sequence[FrrDevice], number: int, *, shell: bool) -> ChangePlace:
    """A router of the lab, by its login to a shell or by that to vtysh."""

    @contextlib.contextmanager
    def place(_loop: LoopThread) -> Iterator[Changed]:
        router = routers[number]
        yield ChangedFrr(router if shell else router.vtysh)

    return place
