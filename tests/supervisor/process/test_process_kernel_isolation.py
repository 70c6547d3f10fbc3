"""What the kernel offers for isolation: asked of the real one, and of others that are played."""

import ctypes
import errno
import platform

import pytest

from supervisor.process.kernel_isolation import KernelIsolation, detect

LANDLOCK, SECCOMP, KEYCTL = 444, 317, 250


def played(answers: dict[int, int]) -> KernelIsolation:
    return detect(lambda number, *_: answers[number], "x86_64")


ALL = {LANDLOCK: 7, SECCOMP: -errno.EFAULT, KEYCTL: -errno.ENOKEY}


def test_the_kernel_here_is_asked_and_says_the_same_twice() -> None:
    version = ctypes.CDLL(None).syscall(LANDLOCK, None, 0, 1)
    found = detect()
    assert found.landlock_abi == max(version, 0)
    assert (found.no_landlock == "") == (version > 0)
    assert found == detect()


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="its numbers are not known")
def test_asking_for_a_filter_installs_none() -> None:
    with open("/proc/self/status", encoding="ascii") as status:
        before = status.read()
    assert detect().seccomp == (detect().no_seccomp == "")
    with open("/proc/self/status", encoding="ascii") as status:
        after = status.read()
    modes = [[line for line in text.splitlines() if line.startswith("Seccomp")] for text in (before, after)]
    assert modes[0] == modes[1]


def test_a_kernel_that_has_it_all_is_missing_nothing() -> None:
    assert played(ALL) == KernelIsolation(7, seccomp=True, session_keyring=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errno.ENOSYS, "Linux 5.13"),
        (errno.EOPNOTSUPP, "lsm="),
        (errno.EPERM, "container"),
        (errno.EIO, "EIO"),
    ],
)
def test_without_landlock_it_is_said_why(error: int, said: str) -> None:
    found = played(ALL | {LANDLOCK: -error})
    assert found.landlock_abi == 0
    assert said in found.no_landlock
    assert found.seccomp


def test_a_container_that_forbids_seccomp_and_keyrings_is_told_from_one_that_allows_them() -> None:
    found = played(ALL | {SECCOMP: -errno.EPERM, KEYCTL: -errno.EPERM})
    assert (found.landlock_abi, found.seccomp, found.session_keyring) == (7, False, False)
    assert "container" in found.no_seccomp


def test_a_kernel_that_would_take_a_filter_from_anywhere_is_none_that_we_know() -> None:
    assert not played(ALL | {SECCOMP: 0}).seccomp


def test_a_machine_whose_numbers_are_not_known_has_no_seccomp_and_says_so() -> None:
    found = detect(lambda number, *_: {LANDLOCK: 7}[number], "riscv64")
    assert (found.landlock_abi, found.seccomp, found.session_keyring) == (7, False, False)
    assert "riscv64" in found.no_seccomp
