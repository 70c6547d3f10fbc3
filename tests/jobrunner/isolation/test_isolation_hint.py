"""A block that was refused something learns which setting may be the reason, and no more of paths that are open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrunner.isolation.hint import hint_at
from jobrunner.protocol.isolation import FileRules, Isolation
from sdk.isolation import isolation_hint, use_isolation


@pytest.fixture(autouse=True)
def _without_hints_afterwards() -> Iterator[None]:
    yield
    use_isolation(None)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A worker's directory, one of jobs in it, and another one beside it that was there before."""
    own = tmp_path / "state" / "jobs" / "own"
    own.mkdir(parents=True)
    (tmp_path / "backup").mkdir()
    monkeypatch.chdir(own)
    return tmp_path


def hinted(path: Path) -> bool:
    return bool(isolation_hint(PermissionError(13, "Permission denied", str(path))))


def rules(place: Path) -> FileRules:
    return FileRules(
        closed=(str(place / "state"),),
        read_only=(str(place / "blocks"),),
        writable=(str(place / "blocks" / "output"),),
        jobs_directory=str(place / "state" / "jobs"),
    )


def test_only_a_path_that_the_rules_close_gets_the_hint(place: Path) -> None:
    (place / "blocks" / "output").mkdir(parents=True)
    hint_at(Isolation(landlock_abi=7, files=rules(place)))
    closed = ("state/journal", "state/jobs/other/file", "blocks/block.py", "new-file", "statement")
    assert [name for name in closed if not hinted(place / name)] == []
    still_open = ("state/jobs/own/file", "backup/file", "blocks/output/file")
    assert [name for name in still_open if hinted(place / name)] == []


def test_without_landlock_no_path_gets_it_and_a_refused_call_does(place: Path) -> None:
    hint_at(Isolation(seccomp=True, files=rules(place)))
    assert not hinted(place / "state" / "journal")
    assert isolation_hint(PermissionError(1, "Operation not permitted"))


def test_without_isolation_nothing_gets_it(place: Path) -> None:
    hint_at(Isolation())
    assert not hinted(place / "state" / "journal")
    assert not isolation_hint(PermissionError(1, "Operation not permitted"))
