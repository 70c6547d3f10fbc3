"""Real processes that keep themselves apart as a child does, and say what they can do then."""

import ctypes
import errno
import json
import os
import resource
import struct
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobrunner.isolation.child import ChildIsolation, ForkedIsolation, SpawnedIsolation
from jobrunner.isolation.landlock import abi_of_the_kernel
from jobrunner.isolation.shared_paths import SharedPaths
from jobrunner.isolation.signals import contain_signals
from jobrunner.protocol import linux
from jobrunner.protocol.isolation import FileRules, Isolation

FREE = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 10
"""Above all that a test opens: beside its directory there may be a thousand of other tests."""
"""So high that it is nobody's in this process."""

_libc = ctypes.CDLL(None, use_errno=True)


def needs_abi(abi: int) -> str:
    """Why a test of this version of Landlock can't run here; empty if it can."""
    return (
        ""
        if abi_of_the_kernel() >= abi
        else f"Landlock {abi} is needed, this kernel has {abi_of_the_kernel()}"
    )


def tried(attempt: Callable[[], object]) -> str:
    """How an attempt went: `ok`, or the name of the error."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def asked_of_the_kernel(*call: object) -> int:
    """Make a system call by its name's function in the C library. Raises `OSError`."""
    name, *arguments = call
    result: int = getattr(_libc, str(name))(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def give_up_capabilities(*numbers: int) -> None:
    """Give up these for good, where this process has them at all."""
    version_3 = 0x20080522  # <linux/capability.h>
    header, held = struct.pack("Ii", version_3, 0), ctypes.create_string_buffer(24)
    asked_of_the_kernel("capget", header, held)
    # The lower 32 first: effective, permitted, inheritable; then the upper ones.
    kept = list(struct.unpack("6I", held.raw))
    for number in numbers:
        for kind in range(3):
            kept[number // 32 * 3 + kind] &= ~(1 << number % 32)
    asked_of_the_kernel("capset", header, struct.pack("6I", *kept))


def shared(isolation: Isolation) -> ForkedIsolation:
    """The isolation of a template's child, after what the template does to itself."""
    linux.forbid_new_privileges()
    if isolation.contain_signals:
        contain_signals(below_it_file_rules=isolation.landlock_abi > 0)
    paths = SharedPaths(isolation)
    paths.open()
    return ForkedIsolation(paths)


def spawned(isolation: Isolation) -> SpawnedIsolation:
    """The isolation of a child that imports the blocks itself."""
    return SpawnedIsolation(isolation)


def run_apart(
    make: Callable[[], ChildIsolation],
    directory: Path,
    work: Callable[[], Any],
    imports: Callable[[], Any] = lambda: None,
) -> tuple[Any, Any]:
    """Return what `imports` and `work` return in a process that keeps itself apart before each of them."""

    def in_the_child() -> tuple[Any, Any]:
        os.chdir(directory)
        isolation = make()
        isolation.prepare(FREE)
        isolation.forbid_escape()
        seen = imports()
        isolation.close_files(os.getcwd())
        return seen, work()

    seen, done = in_a_fork(in_the_child)
    return seen, done


def in_a_fork(work: Callable[[], Any]) -> Any:
    """Return what `work` returns in a fork of this process. Fails with its traceback where it raises."""
    mine, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = {"done": work()}
        except BaseException:
            said = {"raised": traceback.format_exc()}
        os.write(theirs, json.dumps(said).encode())
        os._exit(0)
    os.close(theirs)
    text = b""
    while part := os.read(mine, 65_536):
        text += part
    os.close(mine)
    os.waitpid(pid, 0)
    answer: dict[str, Any] = json.loads(text)
    assert "raised" not in answer, answer["raised"]
    return answer["done"]


class Place:
    """A directory with something closed, something read-only, something of another job, and two that are open."""

    def __init__(self, above: Path) -> None:
        self.above = above / "place"
        self.state, self.blocks = self.above / "state", self.above / "blocks"
        self.open, self.other_open = self.above / "open", self.above / "other_open"
        self.jobs = self.state / "jobs"
        self.own, self.sibling = self.jobs / "own", self.jobs / "sibling"
        for directory in (self.blocks, self.open, self.other_open, self.own, self.sibling):
            directory.mkdir(parents=True)
        self.token, self.secret = self.state / "token", self.sibling / "secret"
        self.code, self.file = self.blocks / "code.py", self.open / "file"
        for file in (self.token, self.secret, self.code, self.file):
            file.write_text("something")
        self.files = FileRules(
            closed=(str(self.state),), read_only=(str(self.blocks),), jobs_directory=str(self.jobs)
        )
