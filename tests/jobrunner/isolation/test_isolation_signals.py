"""The signal fence: what the kernel is asked for, and what follows from its answers."""

import os
import struct
from typing import Any

import pytest

from jobrunner.isolation import child as child_module
from jobrunner.isolation import landlock, signals
from jobrunner.isolation.child import SpawnedIsolation
from jobrunner.isolation.signals import contain_signals
from jobrunner.protocol.isolation import Isolation


class Landlock:
    """Keeps what the kernel is asked (<linux/landlock.h>), and answers for it."""

    def __init__(self, version: int = 6, made: int = 99, restricted: int = 0) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.version, self.made, self.restricted = version, made, restricted

    def syscall(self, *asked: Any) -> int:
        self.asked.append(asked)
        if asked[0] == 446:
            return self.restricted
        return self.version if asked[1] is None else self.made


@pytest.mark.parametrize(("version", "contains"), [(-1, False), (5, False), (6, True), (7, True)])
def test_signals_are_contained_by_every_kernel_that_can_from_version_6_of_landlock_on(
    monkeypatch: pytest.MonkeyPatch, version: int, contains: bool
) -> None:
    kernel = Landlock(version, os.open(os.devnull, os.O_RDONLY))
    monkeypatch.setattr(landlock, "_libc", kernel)
    assert contain_signals() is contains
    assert (446 in [asked[0] for asked in kernel.asked]) is contains
    if not contains:
        os.close(kernel.made)


@pytest.mark.parametrize(
    ("made", "restricted", "contains"), [(99, 0, True), (0, 0, True), (-1, 0, False), (99, -1, False)]
)
def test_only_signals_are_contained_and_files_and_network_stay_open(
    monkeypatch: pytest.MonkeyPatch, made: int, restricted: int, contains: bool
) -> None:
    kernel, closed = Landlock(6, made, restricted), list[int]()
    monkeypatch.setattr(landlock, "_libc", kernel)
    monkeypatch.setattr(signals.os, "close", closed.append)
    assert contain_signals() is contains
    # Which version; a ruleset that handles no access to files or network, and scopes signals; and to be under it.
    questions = [(444, None, 0, 1), (444, struct.pack("QQQ", 0, 0, 1 << 1), 24, 0), (446, made, 0)]
    assert kernel.asked == questions[: 3 if made >= 0 else 2]
    assert closed == ([made] if made >= 0 else [])


def test_nothing_escapes_once_a_child_is_contained_also_with_isolation_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In this order: Landlock asks for no new privileges (landlock(7))."""
    calls: list[str] = []
    monkeypatch.setattr(
        child_module.linux, "forbid_new_privileges", lambda: calls.append("no new privileges")
    )
    monkeypatch.setattr(child_module, "contain_signals", lambda: calls.append("signals"))
    SpawnedIsolation(Isolation()).forbid_escape()
    assert calls == ["no new privileges", "signals"]
