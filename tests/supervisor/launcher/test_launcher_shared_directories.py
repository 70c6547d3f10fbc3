"""Where a job's user can leave something is found at the start, and what it left there is removed."""

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.launcher import shared_directories as shared_module
from supervisor.launcher import user_leftovers as user_leftovers_module
from supervisor.launcher.shared_directories import MOST_LEVELS, shared_directories
from supervisor.launcher.user_leftovers import remove_leftovers

USER, OTHER = 3_000_000_200, 3_000_000_201
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or ""
"""One that every user may run."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file system that is searched alone."""
    monkeypatch.setattr(shared_module, "_mounts", lambda: {str(tmp_path): True})
    monkeypatch.setattr(shared_module, "USUAL", ())
    tmp_path.chmod(0o755)
    return tmp_path


def made(path: Path, mode: int = 0o755) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    return path


def test_directories_that_everyone_may_write_to_are_found_where_others_may_get_at_them(machine: Path) -> None:
    found = [made(machine / "run" / "lock", 0o1777), made(machine / "srv" / "a" / "b" / "drop", 0o733)]
    made(machine / "ordinary")
    made(made(machine / "closed", 0o700) / "open", 0o777)
    (machine / "link").symlink_to(found[0])
    assert shared_directories().paths == tuple(sorted(map(str, found)))
    assert shared_directories().complete


def test_how_deep_and_how_far_is_searched_is_bounded_and_what_is_not_is_told(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = [str(level) for level in range(MOST_LEVELS)]
    made(machine.joinpath(*levels, "deeper", "open"), 0o777)
    highest = made(machine.joinpath(*levels[:-1], "open"), 0o777)
    found = shared_directories()
    assert (found.paths, found.complete) == ((str(highest),), True)
    monkeypatch.setattr(shared_module, "_MOST_DIRECTORIES", 3)
    assert shared_directories() == shared_module.SharedDirectories((), complete=False)


def test_the_usual_ones_are_there_in_any_case_and_under_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_module, "_mounts", dict)
    monkeypatch.setattr(shared_module, "USUAL", ("/tmp", "/tmp/.", "/none"))
    assert shared_directories().paths == (os.path.realpath("/tmp"),)


def test_file_systems_of_a_network_and_those_that_can_not_be_written_are_not_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mounts = (
        "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "2 1 0:5 / /nfs rw - nfs4 server:/x rw\n"
        "3 1 8:2 / /usr ro - ext4 /dev/sda2 rw\n"
        "4 1 0:9 / /with\\040blank rw - tmpfs tmpfs rw\n"
        "5 1 0:3 / /proc rw - proc proc rw\n"
        "6 1 8:3 / /srv/Übergabe\u00a0neu rw - ext4 /dev/sda3 rw\n"
    )
    files = {"/proc/self/mountinfo": mounts, "/proc/filesystems": "nodev\tproc\nnodev\tnfs4\n\text4\n"}
    monkeypatch.setattr(shared_module.kernel_files, "read", lambda path: files[path].encode())
    found = shared_module._mounts()
    assert [place for place, is_local in found.items() if is_local] == [
        "/",
        "/with blank",
        "/srv/Übergabe\u00a0neu",
    ]
    assert found.keys() >= {"/nfs", "/usr", "/proc"}


def test_a_subvolume_is_searched_with_what_it_lies_in_and_what_is_mounted_has_its_own_turn(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subvolume, server = made(machine / "share" / "drop", 0o1777), made(machine / "nfs")
    made(server / "drop", 0o1777)
    real, looked_at = os.lstat, []

    def lstat(path: str) -> os.stat_result:
        looked_at.append(path)
        status = real(path)
        if not path.startswith(str(machine / "share")):
            return status
        return os.stat_result(
            (status[0], status[1], 77, *status[3:])
        )  # btrfs numbers each subvolume as a device

    monkeypatch.setattr(os, "lstat", lstat)
    monkeypatch.setattr(shared_module, "_mounts", lambda: {str(machine): True, str(server): False})
    assert shared_directories().paths == (str(subvolume),)
    assert str(server) not in looked_at


@pytest.mark.needs("other users")
def test_what_lies_in_a_directory_that_another_has_opened_to_everyone_goes_too(tmp_path: Path) -> None:
    theirs = made(tmp_path / "theirs", 0o777)
    os.chown(theirs, OTHER, OTHER)
    for owner in (USER, OTHER):
        (theirs / str(owner)).touch()
        os.chown(theirs / str(owner), owner, owner)
    assert remove_leftovers({USER}, [str(tmp_path)]) == []
    assert os.listdir(theirs) == [str(OTHER)]


@pytest.mark.needs("other users")
@pytest.mark.parametrize("when", ["before it is looked into", "after it was looked into"])
def test_a_link_that_another_job_puts_in_the_place_of_its_directory_leads_to_nothing_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    top, precious, aside = made(tmp_path / "tmp", 0o1777), made(tmp_path / "etc"), tmp_path / "tmp" / "aside"
    theirs = made(top / "theirs", 0o777)
    os.chown(theirs, OTHER, OTHER)
    for directory in (theirs, precious):
        (directory / "shadow").touch()
    os.chown(theirs / "shadow", USER, USER)
    if when.startswith("before"):
        os.chown(precious / "shadow", USER, USER)
    scanned = "theirs" if when.startswith("before") else "shadow"
    real = os.scandir

    @contextlib.contextmanager
    def replaced_after(place: str | int) -> Iterator[Iterable[os.DirEntry[str]]]:
        with real(place) as entries:
            found = list(entries)
        yield found
        if [entry.name for entry in found] == [scanned] and not aside.exists():
            theirs.rename(aside)
            theirs.symlink_to(precious)

    monkeypatch.setattr(os, "scandir", replaced_after)
    remove_leftovers({USER}, [str(top)])
    assert aside.exists()
    assert os.listdir(precious) == ["shadow"]


@pytest.mark.needs("other users")
def test_an_entry_that_not_even_root_may_look_at_does_not_end_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}" for number in range(20)]
    for name in names:
        (tmp_path / name).touch()
        os.chown(tmp_path / name, USER, USER)
    mounted = os.listdir(tmp_path)[0]
    os.chown(tmp_path / mounted, OTHER, OTHER)
    refuse_to_tell_of(mounted, monkeypatch)
    assert remove_leftovers({USER}, [str(tmp_path)]) == []
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [mounted]


def refuse_to_tell_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel answer as it does for a file system in user space (FUSE) of somebody else."""
    real_stat, real_scandir = os.stat, os.scandir

    def refused() -> OSError:
        return PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)

    class Entry:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path, self._entry = entry.name, entry.path, entry

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            if self.name == name:
                raise refused()
            return self._entry.stat(follow_symlinks=follow_symlinks)

    @contextlib.contextmanager
    def scandir(place: str | int) -> Iterator[Iterable[Entry]]:
        with real_scandir(place) as entries:
            yield map(Entry, entries)

    def stat(path: str | int, **how: Any) -> os.stat_result:
        if path == name:
            raise refused()
        return real_stat(path, **how)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "stat", stat)


MAKE_IPC = """
import ctypes
libc = ctypes.CDLL(None)
print(libc.shmget(0, 4096, 0o1600), libc.semget(0, 1, 0o1600), libc.msgget(0, 0o1600))
"""


@pytest.mark.needs("other users")
@pytest.mark.skipif(not PYTHON, reason="the machine has no Python of its own")
@pytest.mark.parametrize("may", [True, False], ids=["as root", "by the owner alone"])
def test_system_v_objects_go_also_where_only_their_owner_may_remove_them(
    may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_ipc = subprocess.run(
        [
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            MAKE_IPC,
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert len(user_leftovers_module._ipc_of({USER})) == len(made_ipc.stdout.split()) == 3
    if not may:
        refuses = SimpleNamespace(**dict.fromkeys(("shmctl", "semctl", "msgctl"), lambda *_: -1))
        monkeypatch.setattr(user_leftovers_module, "_libc", refuses)
        monkeypatch.setattr(user_leftovers_module.sys, "executable", PYTHON)
    assert remove_leftovers({USER}, []) == []
    assert user_leftovers_module._ipc_of({USER}) == []
