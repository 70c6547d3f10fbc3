"""What a job can do to files and processes, by real attempts, for each version of Landlock up to the kernel's."""

import fcntl
import os
import socket
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apart import (
    Place,
    asked_of_the_kernel,
    give_up_capabilities,
    needs_abi,
    run_apart,
    shared,
    spawned,
    tried,
)

from jobrunner.protocol.isolation import FileRules, Isolation
from tests.patience import wait_until

# Python 3.12 and newer warn of a fork where there are threads, such as those of whoever spreads tests over processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

OK, DENIED, ELSEWHERE, FORBIDDEN = "ok", "EACCES", "EXDEV", "EPERM"
ABIS = range(8)


def attempts_on_files(place: Place) -> dict[str, Callable[[], object]]:
    """What is tried, in this order: what may come off, comes last."""
    own = place.own
    return {
        "read the token": place.token.read_text,
        "write the token": lambda: os.open(place.token, os.O_WRONLY),
        "remove the token": place.token.unlink,
        "read a sibling's file": place.secret.read_text,
        "make a file for a sibling": (place.sibling / "planted").touch,
        "make a file in the state directory": (place.state / "planted").touch,
        "read it by a symbolic link": lambda: ((own / "link").symlink_to(place.token), (own / "link").read_text()),
        "read it by /proc/self/root": Path(f"/proc/self/root{place.token}").read_text,
        "read it by its O_PATH descriptor": lambda: reopen(place.token),
        "link it into the own directory": lambda: os.link(place.token, own / "linked"),
        "move it into the own directory": lambda: place.token.rename(own / "moved"),
        "rename the state directory": lambda: place.state.rename(place.above / "state2"),
        "rename what is above it": lambda: place.above.rename(place.above.with_name("place2")),
        "exchange it with an open one": lambda: exchange(place.state, place.open),
        "make a directory beside it": (place.above / "late").mkdir,
        "read a block": place.code.read_text,
        "write a block": lambda: os.open(place.code, os.O_WRONLY | os.O_APPEND),
        "replace a block": lambda: (own / "new").touch() or (own / "new").rename(place.code),
        "remove a block": place.code.unlink,
        "make a file beside a block": (place.blocks / "late.py").touch,
        "read an open file": place.file.read_text,
        "write an open file": lambda: place.file.write_text("anew"),
        "make a directory in an open one": (place.open / "made").mkdir,
        "make a file in the own directory": (own / "kept").touch,
        "make a pipe in the own directory": lambda: os.mkfifo(own / "pipe"),
        "rename in one directory": lambda: place.file.rename(place.open / "renamed"),
        "rename between directories": lambda: (place.open / "renamed").rename(place.other_open / "renamed"),
        "link between directories": lambda: os.link(own / "kept", place.other_open / "linked"),
        "truncate a file in the own directory": lambda: (own / "t").touch() or os.truncate(own / "t", 0),
        "set the size of a terminal of one's own": size_of_own_terminal,
        "execute a program": lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]) and os.abort(),
        "list the state directory": lambda: os.listdir(place.state),
        "truncate the token by its name": lambda: os.truncate(place.token, 0),
        "truncate a block by its name": lambda: os.truncate(place.code, 0),
    }  # fmt: skip


def reopen(path: Path) -> None:
    held = os.open(path, os.O_PATH)
    os.close(os.open(f"/proc/self/fd/{held}", os.O_RDONLY))


def exchange(one: Path, other: Path) -> None:
    here, exchange_flag = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    asked_of_the_kernel("renameat2", here, bytes(one), here, bytes(other), exchange_flag)


def size_of_own_terminal() -> None:
    _, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    termios.tcgetattr(terminal)
    os.close(os.open(os.ttyname(terminal), os.O_RDWR | os.O_NOCTTY))


CLOSED = {
    "read the token": DENIED,
    "write the token": DENIED,
    "remove the token": DENIED,
    "read a sibling's file": DENIED,
    "make a file for a sibling": DENIED,
    "make a file in the state directory": DENIED,
    "read it by a symbolic link": DENIED,
    "read it by /proc/self/root": DENIED,
    "read it by its O_PATH descriptor": DENIED,
    "link it into the own directory": ELSEWHERE,
    "move it into the own directory": DENIED,
    "rename the state directory": DENIED,
    "rename what is above it": DENIED,
    "exchange it with an open one": DENIED,
    "make a directory beside it": DENIED,
    "write a block": DENIED,
    "replace a block": DENIED,
    "remove a block": DENIED,
    "make a file beside a block": DENIED,
}


def expected_of_files(abi: int, names: list[str]) -> dict[str, str]:
    """What is not said here comes off."""
    expected = dict.fromkeys(names, OK) | (CLOSED if abi else {})
    if abi == 1:  # no file may come from another directory, or go to one
        for name in ("rename between directories", "link between directories"):
            expected[name] = ELSEWHERE
    if abi >= 3:
        expected["truncate the token by its name"] = expected["truncate a block by its name"] = DENIED
    return expected


@pytest.mark.parametrize("abi", ABIS[1:])
@pytest.mark.parametrize("make", [shared, spawned])
def test_of_files_a_job_reaches_its_own_directory_and_what_is_open(
    tmp_path: Path, abi: int, make: Any
) -> None:
    if reason := needs_abi(abi):
        pytest.skip(reason)
    place = Place(tmp_path)
    isolation = Isolation(landlock_abi=abi, files=place.files)
    attempts = attempts_on_files(place)

    def work() -> dict[str, str]:
        return {name: tried(attempt) for name, attempt in attempts.items()}

    _, seen = run_apart(lambda: make(isolation), place.own, work)
    assert seen == expected_of_files(abi, list(attempts))


def attempts_on_others(place: Place, other: int, address: str) -> dict[str, Callable[[], object]]:
    """What is tried on a process of the same user, and around it."""
    return {
        "read its memory": lambda: os.close(os.open(f"/proc/{other}/mem", os.O_RDONLY)),
        "read its environment": lambda: os.close(os.open(f"/proc/{other}/environ", os.O_RDONLY)),
        "list its descriptors": lambda: os.readlink(f"/proc/{other}/fd/1"),
        "go to its root directory": lambda: os.listdir(f"/proc/{other}/root"),
        "trace it": lambda: asked_of_the_kernel("ptrace", SEIZE, other, 0, 0),
        "signal it": lambda: os.kill(other, 0),
        "connect to an abstract socket": lambda: connect("\0" + address),
        "connect to a socket in an open directory": lambda: connect(f"{place.open}/socket"),
        "signal a process of its own": signal_own,
        "trace a process of its own": trace_own,
        "send to an abstract socket of its own": lambda: connect_to_own("\0own" + address),
    }  # fmt: skip


SEIZE = 0x4206  # PTRACE_SEIZE, <linux/ptrace.h>
# As root, but for the two by which the kernel lets anybody's environment be read since Linux 6.13.
WITHOUT_CAPABILITIES = "-perfmon,-sys_admin"
AS_THE_OTHER = ("setpriv", f"--bounding-set={WITHOUT_CAPABILITIES}") if os.geteuid() == 0 else ()


def connect(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(address)


def connect_to_own(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(address)
        one.listen()
        connect(address)


def signal_own() -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "50"], {})
    os.kill(pid, 9)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == 9


def trace_own() -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "50"], {})
    try:
        asked_of_the_kernel("ptrace", SEIZE, pid, 0, 0)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


TRACING = (
    "read its memory", "read its environment", "list its descriptors", "go to its root directory", "trace it",
)  # fmt: skip
ERRORS_OF_TRACING = {"trace it": FORBIDDEN}


def expected_of_others(abi: int, names: list[str]) -> dict[str, str]:
    expected = dict.fromkeys(names, OK)
    if abi:
        expected |= {name: ERRORS_OF_TRACING.get(name, DENIED) for name in TRACING}
    if abi >= 6:
        expected["signal it"] = expected["connect to an abstract socket"] = FORBIDDEN
    return expected


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("make", [shared, spawned])
def test_of_processes_a_job_reaches_its_own(tmp_path: Path, abi: int, make: Any) -> None:
    if reason := needs_abi(abi):
        pytest.skip(reason)
    if os.geteuid() != 0 and abi == 0:
        pytest.skip("yama may forbid tracing, whatever Landlock does")
    place = Place(tmp_path)
    other = subprocess.Popen([*AS_THE_OTHER, "sleep", "50"])
    wait_until(lambda: Path(f"/proc/{other.pid}/comm").read_text() == "sleep\n")
    address = f"{tmp_path.name}-{os.getpid()}-{abi}"
    isolation = Isolation(landlock_abi=abi, files=place.files, contain_signals=False)
    attempts = attempts_on_others(place, other.pid, address)

    def work() -> dict[str, str]:
        give_up_capabilities(21, 38)  # CAP_SYS_ADMIN, CAP_PERFMON
        return {name: tried(attempt) for name, attempt in attempts.items()}

    try:
        with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
            abstract.bind("\0" + address)
            named.bind(f"{place.open}/socket")
            for one in (abstract, named):
                one.listen()
            _, seen = run_apart(lambda: make(isolation), place.own, work)
    finally:
        other.kill()
        other.wait()
    assert seen == expected_of_others(abi, list(attempts))


@pytest.mark.needs("mounts of root")
def test_a_job_mounts_nothing_also_in_a_namespace_of_its_own(tmp_path: Path) -> None:
    if reason := needs_abi(1):
        pytest.skip(reason)
    place = Place(tmp_path)
    new_mounts, bind, private = 0x00020000, 4096, 1 << 18 | 16384

    def mount(source: Path, target: Path, flags: int) -> int:
        return asked_of_the_kernel("mount", bytes(source), bytes(target), None, flags, None)

    def work() -> dict[str, str]:
        return {
            "namespace": tried(lambda: asked_of_the_kernel("unshare", new_mounts)),
            "private": tried(lambda: mount(Path("/"), Path("/"), private)),
            "bind": tried(lambda: mount(place.state, place.own, bind)),
            "unmount": tried(lambda: asked_of_the_kernel("umount2", b"/proc", 2)),
            "another root": tried(lambda: asked_of_the_kernel("chroot", bytes(place.state))),
            "read": tried(Path("/token").read_text),
        }

    _, seen = run_apart(lambda: shared(Isolation(landlock_abi=1, files=place.files)), place.own, work)
    # Another root makes no other path of it.
    mounts = dict.fromkeys(("private", "bind", "unmount"), FORBIDDEN)
    assert seen == {"namespace": OK, "another root": OK, "read": DENIED} | mounts


def test_a_child_that_imports_blocks_reaches_its_job_s_directory_then_and_later_no_other(
    tmp_path: Path,
) -> None:
    if reason := needs_abi(1):
        pytest.skip(reason)
    place = Place(tmp_path)

    def reads() -> dict[str, str]:
        return {
            path.name: tried(path.read_text) for path in (place.token, place.secret, place.code, place.file)
        }

    before, after = run_apart(
        lambda: spawned(Isolation(landlock_abi=1, files=place.files)), place.own, reads, reads
    )
    assert before == {"token": DENIED, "secret": OK, "code.py": OK, "file": OK}
    assert after == {"token": DENIED, "secret": DENIED, "code.py": OK, "file": OK}


def test_what_is_writable_again_is_so_below_what_is_read_only(tmp_path: Path) -> None:
    if reason := needs_abi(1):
        pytest.skip(reason)
    place = Place(tmp_path)
    data = place.blocks / "data"
    data.mkdir()
    files = FileRules((str(place.state),), (str(place.blocks),), (str(data),), str(place.jobs))

    def work() -> list[str]:
        return [tried(path.touch) for path in (data / "new", place.blocks / "new", place.own / "new")]

    assert run_apart(lambda: shared(Isolation(landlock_abi=1, files=files)), place.own, work)[1] == [
        OK,
        DENIED,
        OK,
    ]


def test_without_landlock_the_user_s_rights_are_all_there_is(tmp_path: Path) -> None:
    place = Place(tmp_path)

    def work() -> list[str]:
        return [tried(place.token.read_text), tried(place.code.touch), tried((place.sibling / "new").touch)]

    assert run_apart(lambda: shared(Isolation(files=place.files)), place.own, work)[1] == [OK, OK, OK]
