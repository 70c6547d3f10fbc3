"""Something else lies where the record of the worker's directories belongs: the start doesn't wait, nor overwrite."""

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from supervisor.process.cgroups import leftovers
from supervisor.process.cgroups.identity import directory_name, identity_of
from supervisor.process.cgroups.leftovers import Cleared
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Ends a call that waits for a FIFO's other end, or takes in a device without end."""

    def end(number: int, frame: object) -> NoReturn:
        raise AssertionError("it waits without end")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + 2**28, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def put(place: Path, kind: str) -> None:
    if kind == "FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to(kind)


@pytest.mark.parametrize("kind", ["FIFO", "/dev/zero", leftovers.RECORD, "missing"])
def test_an_odd_record_is_no_record_and_is_replaced(tmp_path: Path, kind: str) -> None:
    identity = identity_of(tmp_path)
    record = tmp_path / leftovers.RECORD
    put(record, kind)
    assert leftovers.clear(tmp_path, identity, []) == Cleared()
    mine = tmp_path / directory_name(identity)
    leftovers.record(tmp_path, [mine])
    assert record.is_file()
    assert not record.is_symlink()
    assert record.read_text() == f"{mine}\n"


def test_of_a_record_without_end_only_the_beginning_is_read(tmp_path: Path) -> None:
    name = directory_name(identity_of(tmp_path))
    with (tmp_path / leftovers.RECORD).open("w") as file:
        file.write(f"/first/{name}\n")
        file.truncate(2**40)
    assert leftovers._recorded(tmp_path, name) == [Path(f"/first/{name}")]


@pytest.mark.parametrize("at", [leftovers.RECORD, f"{leftovers.RECORD}.new"])
def test_no_file_is_overwritten_through_a_link(tmp_path: Path, at: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    put(tmp_path / at, "precious")
    leftovers.record(tmp_path, [tmp_path])
    assert precious.read_text() == "precious"
    assert (tmp_path / leftovers.RECORD).read_text() == f"{tmp_path}\n"


def test_a_fifo_in_the_place_of_the_new_record_holds_nothing_up(tmp_path: Path) -> None:
    put(tmp_path / f"{leftovers.RECORD}.new", "FIFO")
    leftovers.record(tmp_path, [tmp_path])
    assert (tmp_path / leftovers.RECORD).read_text() == f"{tmp_path}\n"
