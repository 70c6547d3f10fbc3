"""The capabilities that a job's user keeps: none, but for the one that a unit may give to blocks on purpose."""

import ctypes
import errno
import struct
from collections.abc import Callable

import pytest

from jobrunner import job_user

# <linux/capability.h>
VERSION_3 = 0x20080522
NET_RAW = 1 << 13
ALL = 2**32 - 1


class Kernel:
    """What capget(2) and capset(2) do: both blocks of 32, each effective, permitted and inheritable."""

    def __init__(self, held: tuple[int, ...]) -> None:
        self.held = held
        self.set: tuple[int, ...] | None = None
        self.fails = ""

    def capget(self, header: bytes, data: "ctypes.Array[ctypes.c_char]") -> int:
        self._check("capget", header)
        data.raw = struct.pack("6I", *self.held)
        return self._result("capget")

    def capset(self, header: bytes, data: bytes) -> int:
        self._check("capset", header)
        if self._result("capset") == 0:
            self.set = struct.unpack("6I", data)
        return self._result("capset")

    def _check(self, _name: str, header: bytes) -> None:
        assert struct.unpack("Ii", header) == (VERSION_3, 0)  # 0 is this process

    def _result(self, name: str) -> int:
        if self.fails != name:
            return 0
        ctypes.set_errno(errno.EPERM)
        return -1


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[int, ...]], Kernel]:
    def holding(held: tuple[int, ...]) -> Kernel:
        kernel = Kernel(held)
        monkeypatch.setattr(job_user, "_libc", kernel)
        return kernel

    return holding


def test_all_but_raw_sockets_is_dropped_from_both_blocks(
    kernel: Callable[[tuple[int, ...]], Kernel],
) -> None:
    holder = kernel((ALL, ALL, ALL, ALL, ALL, ALL))
    job_user._drop_capabilities()
    assert holder.set == (NET_RAW, NET_RAW, NET_RAW, 0, 0, 0)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_raw_sockets_are_kept_only_where_they_were_held(
    kernel: Callable[[tuple[int, ...]], Kernel], place: int
) -> None:
    held = [ALL & ~NET_RAW] * 3
    held[place] = ALL
    holder = kernel((*held, 0, 0, 0))
    job_user._drop_capabilities()
    kept = [0] * 6
    kept[place] = NET_RAW
    assert holder.set == tuple(kept)


@pytest.mark.parametrize("call", ["capget", "capset"])
def test_a_process_that_could_not_give_them_up_runs_no_job(
    kernel: Callable[[tuple[int, ...]], Kernel], call: str
) -> None:
    kernel((ALL,) * 6).fails = call
    with pytest.raises(PermissionError, match="capabilities"):
        job_user._drop_capabilities()


def test_the_user_is_changed_for_good_before_its_capabilities_and_inspection_is_allowed_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Groups go first: the right to change them goes with the user. All three numbers, or it could change back."""
    calls: list[tuple[object, ...]] = []
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(job_user.os, name, lambda *given, name=name: calls.append((name, *given)))
    monkeypatch.setattr(job_user, "_drop_capabilities", lambda: calls.append(("capabilities",)))
    monkeypatch.setattr(job_user.linux, "allow_inspection", lambda: calls.append(("inspection",)))
    job_user.become_user(61_000)
    assert calls == [
        ("setgroups", []),
        ("setresgid", 61_000, 61_000, 61_000),
        ("setresuid", 61_000, 61_000, 61_000),
        ("capabilities",),
        ("inspection",),
    ]


def test_the_kernel_s_own_reason_is_told() -> None:
    ctypes.set_errno(0)
    with pytest.raises(OSError, match="Bad address") as caught:
        job_user._check(job_user._libc.capget(None, None))
    assert caught.value.errno == errno.EFAULT


def test_a_job_of_the_worker_s_own_user_keeps_what_is_for_the_network(
    kernel: Callable[[tuple[int, ...]], Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To use low ports, for a server that devices fetch files from; to send to everybody; interfaces; raw sockets."""
    monkeypatch.setattr(job_user.os, "geteuid", lambda: 1000)
    holder = kernel((ALL, ALL, 0, ALL, ALL, ALL))
    job_user.keep_only_the_network_s_capabilities()
    network = sum(1 << number for number in (10, 11, 12, 13))
    assert holder.set == (network, network, 0, 0, 0, 0)


@pytest.mark.parametrize(("user", "held"), [(1000, NET_RAW), (1000, 0), (0, ALL)])
def test_nothing_is_set_where_nothing_else_is_held_and_for_root(
    kernel: Callable[[tuple[int, ...]], Kernel], monkeypatch: pytest.MonkeyPatch, user: int, held: int
) -> None:
    monkeypatch.setattr(job_user.os, "geteuid", lambda: user)
    holder = kernel((held, held, held, 0, 0, 0))
    job_user.keep_only_the_network_s_capabilities()
    assert holder.set is None
