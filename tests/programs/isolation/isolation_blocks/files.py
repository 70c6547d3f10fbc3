"""Attempts on files: the worker's, a sibling's, those that every job uses, and those that stay open."""

import ctypes
import os
import shutil
import tempfile
from pathlib import Path

from .attempt import Targets, attempt
from .calls import call, libc

_NEW_USER, _NEW_NAMESPACE = 0x10000000, 0x00020000
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n# appended by a job\n")


def _truncate(path: Path) -> None:
    call("truncate", os.fsencode(path), 0)


def _make(directory: Path) -> None:
    path = directory / f"made-{os.getpid()}"
    path.touch()
    path.unlink()


@attempt
def read_state(to: Targets) -> None:
    Path(to.state, "journal.sqlite3").read_bytes()


@attempt
def read_state_by_link(to: Targets) -> None:
    """A symbolic link in the job's own directory, which leads out of it."""
    link = Path("out")
    link.symlink_to(to.state)
    (link / "read").read_bytes()


@attempt
def read_state_by_root(to: Targets) -> None:
    Path("/proc/self/root", Path(to.state, "read").relative_to("/")).read_bytes()


@attempt
def read_state_by_path_descriptor(to: Targets) -> None:
    """A descriptor that only names the file may be had; it must not become one that reads."""
    named = os.open(Path(to.state, "read"), os.O_PATH)
    Path(f"/proc/self/fd/{named}").read_bytes()


@attempt
def write_state(to: Targets) -> None:
    _append(Path(to.state, "write"))


@attempt
def create_state(to: Targets) -> None:
    Path(to.state, "created").touch()


@attempt
def create_socket_state(to: Targets) -> None:
    os.mkfifo(Path(to.state, "created.fifo"))


@attempt
def delete_state(to: Targets) -> None:
    Path(to.state, "delete").unlink()


@attempt
def rename_state(to: Targets) -> None:
    Path(to.state, "rename").rename(Path(to.state, "renamed"))


@attempt
def rename_all_of_state(to: Targets) -> None:
    """Moved elsewhere, it would lie below no closed path."""
    moved = to.state + "-moved"
    Path(to.state).rename(moved)
    try:
        Path(moved).rename(to.state)
    except OSError:  # the worker has found none, and made another one
        if libc.renameat2(_HERE, os.fsencode(moved), _HERE, os.fsencode(to.state), _EXCHANGE):
            raise
        shutil.rmtree(moved, ignore_errors=True)


@attempt
def take_from_state(to: Targets) -> None:
    Path(to.state, "take").rename("taken")


@attempt
def link_state(to: Targets) -> None:
    os.link(Path(to.state, "link"), "linked")


@attempt
def truncate_state(to: Targets) -> None:
    _truncate(Path(to.state, "truncate"))


@attempt
def read_token(to: Targets) -> None:
    Path(to.token).read_bytes()


@attempt
def write_token(to: Targets) -> None:
    with Path(to.token).open("r+b"):  # not written to: the worker goes on
        pass


@attempt
def read_sibling(to: Targets) -> None:
    Path(to.sibling_directory, "secret").read_bytes()


@attempt
def write_sibling(to: Targets) -> None:
    _append(Path(to.sibling_directory, "secret"))


@attempt
def create_sibling(to: Targets) -> None:
    Path(to.sibling_directory, "created").touch()


@attempt
def delete_sibling(to: Targets) -> None:
    Path(to.sibling_directory, "delete").unlink()


@attempt
def truncate_sibling(to: Targets) -> None:
    _truncate(Path(to.sibling_directory, "truncate"))


@attempt
def read_blocks(to: Targets) -> None:
    Path(to.blocks, "calls.py").read_bytes()


@attempt
def write_blocks(to: Targets) -> None:
    _append(Path(to.blocks, "calls.py"))


@attempt
def create_blocks(to: Targets) -> None:
    Path(to.blocks, "more.py").touch()


@attempt
def delete_blocks(to: Targets) -> None:
    Path(to.blocks, "delete.txt").unlink()


@attempt
def truncate_blocks(to: Targets) -> None:
    _truncate(Path(to.blocks, "truncate.txt"))


@attempt
def write_packages(to: Targets) -> None:
    _make(Path(to.packages))


@attempt
def write_interpreter(to: Targets) -> None:
    _make(Path(os.__file__).parent)


@attempt
def write_cgroup(to: Targets) -> None:
    """Leave the job's cgroup, and so its limits: this process alone, and back is no way."""
    pid = os.fork()
    if pid == 0:
        try:
            with open(to.cgroup, "wb", buffering=0) as file:
                file.write(str(os.getpid()).encode())
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if number := os.waitstatus_to_exitcode(status):
        raise OSError(number, os.strerror(number))


@attempt
def create_beside(to: Targets) -> None:
    _make(Path(to.beside))


@attempt
def change_mode_of_state(to: Targets) -> None:
    os.chmod(Path(to.state, "mode"), 0o640)


@attempt
def list_state(to: Targets) -> None:
    os.listdir(to.state)
    os.stat(Path(to.state, "read"))


@attempt
def shared_memory_files(to: Targets) -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm"):
        pass


@attempt
def write_backup(to: Targets) -> None:
    _append(Path(to.backup, "existing"))
    _make(Path(to.backup))


@attempt
def move_backup(to: Targets) -> None:
    """From the job's own directory to another one, as `os.rename` does it."""
    Path("moved").touch()
    Path("moved").rename(Path(to.backup, "moved"))


@attempt
def own_directory(to: Targets) -> None:
    below = Path("below")
    below.mkdir()
    _append(below / "file")
    (below / "file").rename(below / "other")
    _truncate(below / "other")
    (below / "other").unlink()
    below.rmdir()
    with tempfile.TemporaryFile():
        pass


@attempt
def mount(to: Targets) -> None:
    """In a namespace of its own, so that nobody else sees it."""
    pid = os.fork()
    if pid == 0:
        try:
            call("unshare", _NEW_NAMESPACE | (_NEW_USER if os.geteuid() else 0))
            if libc.mount(b"none", b"/", None, 0x44000, None) or libc.mount(b"t", b"/mnt", b"tmpfs", 0, None):
                os._exit(ctypes.get_errno())
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if number := os.waitstatus_to_exitcode(status):
        raise OSError(number, f"mount: {os.strerror(number)}")
