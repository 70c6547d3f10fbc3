"""One worker of one column, and what a job could do under it."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.programs.isolation.columns import NEWEST, Column
from tests.programs.redteam.attack import BrokenError
from tests.programs.redteam.scene import Scene, set_up

_BLOCKS: Final = Path(__file__).parent / "isolation_blocks"
_ABSTRACT: Final = "neops-isolation-of-the-machine"
_STATE_FILES: Final = ("read", "write", "delete", "rename", "take", "link", "truncate", "mode")
_RESULT_SECONDS: Final = 60.0


class TrialError(Exception):
    """The attempts could not be made: says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of an attempt: `open`, `closed` or `error`, and the kernel's word for it."""

    seen: str
    why: str


async def try_column(column: Column, abi: int) -> dict[str, Seen]:
    """Start a worker as on a kernel with this version of Landlock, and make every attempt. Raises `TrialError`."""
    directory = Path(tempfile.mkdtemp(prefix="neops-isolation-"))
    try:
        async with set_up(directory) as scene:
            return await attempted(
                scene, abi=abi, seccomp=column.seccomp, isolation=column.isolation, max_job_seconds=60
            )
    except BrokenError as error:
        raise TrialError(str(error)) from None
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


async def attempted(
    scene: Scene, *, abi: int = NEWEST, seccomp: bool = True, only: Sequence[str] = (), **settings: object
) -> dict[str, Seen]:
    """Start a worker with these settings, and make the attempts that are named, or all. Raises `TrialError`."""
    place = scene.directory
    # All that an attempt is made on is there before the worker starts: what comes later may be closed for that reason.
    exchange, backup, blocks, state = (place / name for name in ("exchange", "backup", "blocks", "state"))
    for directory in (exchange, backup, state):
        directory.mkdir()
    exchange.chmod(0o777)  # jobs may have users of their own
    (backup / "existing").touch()
    shutil.copytree(_BLOCKS, blocks)
    for path in (*(state / name for name in _STATE_FILES), blocks / "delete.txt", blocks / "truncate.txt"):
        path.write_text("a secret of the worker's\n")
    program = ("tests.programs.isolation.simulated_worker", str(abi), str(int(seccomp)))
    with _listening(place) as socket_file:
        async with scene.worker(
            program=program, function_blocks=blocks, state_dir=state, **settings
        ) as worker:
            if worker.supervisor_pid is None:
                raise TrialError("the worker has no supervisor")
            targets = {
                "state": str(state),
                "token": str(scene.engine.token_file),
                "blocks": str(blocks),
                "packages": sysconfig.get_path("purelib"),
                "backup": str(backup),
                "beside": str(place),
                "socket": str(socket_file),
                "abstract": f"{_ABSTRACT}-{os.getpid()}-{place.name}",
                "worker": worker.supervisor_pid,
                "cgroup": str(cgroup_file()),
            }
            return await _outcomes(scene, exchange, targets, only)


async def _outcomes(
    scene: Scene, exchange: Path, targets: Mapping[str, Any], only: Sequence[str]
) -> dict[str, Seen]:
    parameters = {"exchange": str(exchange)}
    sibling = await scene.submit("neops_isolation/sibling:1.0.0", parameters, maxAttempts=1)
    try:
        while not (exchange / "sibling").exists():
            if (await scene.job(sibling))["finishedAt"] is not None:
                raise TrialError(f"the sibling ended: {await scene.result_of(sibling)}")
            await asyncio.sleep(0.05)
        given = {**parameters, "targets": dict(targets), "only": list(only)}
        job = await scene.submit("neops_isolation/attempts:1.0.0", given, maxAttempts=1)
        result = await scene.result_of(job, _RESULT_SECONDS)
    finally:
        (exchange / "go").touch()
    if not result["success"]:
        raise TrialError(f"the attempts failed: {result['message']}")
    honest = await scene.result_of(sibling)
    if not honest["success"]:
        raise TrialError(f"the sibling failed: {honest['message']}")
    return {name: Seen(**outcome) for name, outcome in result["data"]["outcomes"].items()}


@contextmanager
def _listening(place: Path) -> Iterator[Path]:
    """Listen at an abstract address and at a path, as other programs of the machine do."""
    path = place / "listens"
    with contextlib.ExitStack() as until_then:
        for address in (f"\0{_ABSTRACT}-{os.getpid()}-{place.name}", str(path)):
            listener = until_then.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen(20)
        yield path


def cgroup_file() -> Path:
    """Return the file by which a process joins the root of a hierarchy: a way out of each limit."""
    found = sorted(Path("/sys/fs/cgroup").glob("memory/cgroup.procs")) or sorted(
        Path("/sys/fs/cgroup").glob("**/cgroup.procs")
    )
    return found[0] if found else Path("/sys/fs/cgroup/cgroup.procs")


def impossible() -> dict[str, str]:
    """Return the attempts that this user or machine does not allow in any case, each with the reason.

    They prove nothing where they are refused, and are not judged where a cell says `open`.
    """
    found = {}
    for name, directory in (
        ("write_packages", sysconfig.get_path("purelib")),
        ("write_interpreter", os.path.dirname(os.__file__)),
    ):
        if not os.access(directory, os.W_OK):
            found[name] = f"this user may not write to {directory}"
    if not os.access(cgroup_file(), os.W_OK):
        found["write_cgroup"] = "this user may write to no cgroup"
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mounting = ("unshare", *user, "--mount", "mount", "-t", "tmpfs", "t", "/mnt")
    if (
        shutil.which("unshare") is None
        or subprocess.run(mounting, capture_output=True, check=False).returncode
    ):
        found["mount"] = "this user may mount nothing here"
    if _yama():
        for name in ("sibling_ptrace", "sibling_vm_readv", "sibling_mem", "sibling_descriptor"):
            found[name] = "kernel.yama.ptrace_scope forbids it"
    return found


def _yama() -> bool:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip() != "0"
    return False
