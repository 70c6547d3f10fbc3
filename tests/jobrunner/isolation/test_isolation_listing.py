"""A change in a listed directory is seen, also where the kernel's clock gives it the time of the change before it."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from apart import Place, needs_abi, run_apart, tried

from jobrunner.isolation import shared_paths as shared_paths_module
from jobrunner.isolation.child import ForkedIsolation
from jobrunner.isolation.shared_paths import Listing, SharedPaths
from jobrunner.protocol.isolation import Isolation

TICK_NS = 10_000_000
"""The longest that a kernel has (100 in a second)."""
HOUR_NS = 3_600 * 10**9


def change(directory: Path, name: str, at: int) -> None:
    """Make a file in a directory, as a kernel does whose clock says `at`."""
    (directory / name).write_text("something")
    os.utime(directory, ns=(at, at))


def set_clock(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    monkeypatch.setattr(shared_paths_module, "time", SimpleNamespace(time_ns=lambda: now))


@pytest.mark.parametrize("later", [0, 1, TICK_NS])
def test_a_second_change_in_the_tick_of_the_first_one_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    now = time.time_ns()
    set_clock(monkeypatch, now + later)
    change(tmp_path, "first", at=now)
    listing = Listing()
    assert listing.list_entries(str(tmp_path)) == ["first"]
    change(tmp_path, "second", at=now)
    assert not listing.is_current()


@pytest.mark.parametrize("later", [10 * TICK_NS, HOUR_NS, -HOUR_NS])
def test_a_directory_is_listed_once_unless_it_has_changed_just_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    """Nor is it listed for ever where a clock that was set back has it changed in the future."""
    now = time.time_ns()
    set_clock(monkeypatch, now + later)
    change(tmp_path, "first", at=now)
    listing = Listing()
    listing.list_entries(str(tmp_path))
    assert listing.is_current()
    change(tmp_path, "second", at=now + 1)
    assert not listing.is_current()


@pytest.mark.skipif(bool(needs_abi(1)), reason=needs_abi(1))
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_file_that_came_in_the_tick_of_a_look_is_read_by_the_next_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a new `/etc/resolv.conf`, beside a file that came a moment before."""
    place = Place(tmp_path)
    now = time.time_ns()
    set_clock(monkeypatch, now)
    change(place.above, "first", at=now)
    paths = SharedPaths(Isolation(landlock_abi=1, files=place.files))
    paths.open()
    change(place.above, "late", at=now)
    paths.open()

    def work() -> list[str]:
        return [tried((place.above / name).read_text) for name in ("first", "late", "state/token")]

    try:
        assert run_apart(lambda: ForkedIsolation(paths), place.own, work)[1] == ["ok", "ok", "EACCES"]
    finally:
        assert paths._opened is not None
        paths._opened.close()
