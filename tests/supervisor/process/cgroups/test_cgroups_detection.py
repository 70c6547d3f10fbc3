"""What is found at the start: which trees may be used, why others may not, and that nothing stays of what may not.

Directories of the test stand for cgroups; their files appear as the kernel would make them.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.process.cgroups import delegation, detection, leftovers
from supervisor.process.cgroups.cgroup import Tree
from supervisor.process.cgroups.delegation import HandedDown
from supervisor.process.cgroups.detection import Detected, detect, own_cgroups
from supervisor.process.cgroups.identity import directory_name, identity_of
from supervisor.process.cgroups.leftovers import Cleared
from supervisor.process.cgroups.own_directories import OwnDirectory

NAME = "neops-worker-test"
V2_FILES = ("cgroup.kill", "memory.max", "pids.max", "cpu.stat", "cgroup.subtree_control")
V1_FILES = ("memory.limit_in_bytes", "pids.max", "cpuacct.usage")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has new directories get their files, and removal take them away, as in a cgroup's file system."""
    mkdir, rmdir = Path.mkdir, os.rmdir

    def use(*files: str, version_1: tuple[str, ...] = ()) -> None:
        def of(path: str | Path) -> tuple[str, ...]:
            return version_1 if Path(path).parent.name in ("memory", "pids", "cpuacct") else files

        def make(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
            mkdir(path, mode, parents, exist_ok)
            for name in of(path):
                (path / name).touch()

        def remove(path: str | Path) -> None:
            for name in of(path):
                Path(path, name).unlink(missing_ok=True)
            rmdir(path)

        monkeypatch.setattr(Path, "mkdir", make)
        monkeypatch.setattr(os, "rmdir", remove)
        monkeypatch.setattr(Path, "rmdir", remove)

    return use


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Callable[[HandedDown], list[tuple[Path, set[str], set[int]]]]:
    """Has controllers handed down as said; tells what was asked for."""

    def set_up(answer: HandedDown) -> list[tuple[Path, set[str], set[int]]]:
        asked: list[tuple[Path, set[str], set[int]]] = []
        monkeypatch.setattr(delegation, "hand_down", lambda *given: asked.append(given) or answer)
        return asked

    return set_up


def test_a_unified_tree_offers_the_kill_and_what_is_handed_down(
    tmp_path: Path, kernel: Callable[..., None], handed: Callable[..., list[object]]
) -> None:
    kernel(*V2_FILES)
    done = HandedDown(frozenset({"memory", "pids"}), "", frozenset({"pids"}), moved=True)
    asked = handed(done)
    detected = detect([OwnDirectory(str(tmp_path), 2)], NAME, {7})
    assert asked == [(tmp_path, {"memory", "pids"}, {7})]
    assert detected.trees == (Tree(tmp_path / NAME, 2, frozenset({"kill", "memory", "pids", "cpu"})),)
    assert detected.reasons == []
    assert (detected.own, detected.handed_down) == (tmp_path, done)
    assert (tmp_path / NAME / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert str(detected) == "kill, memory (v2), pids (v2), cpu (v2)"


def test_what_the_unified_tree_lacks_is_taken_from_the_trees_of_version_1(
    tmp_path: Path, kernel: Callable[..., None], handed: Callable[..., list[object]]
) -> None:
    kernel("cgroup.kill", "pids.max", "cgroup.subtree_control", version_1=V1_FILES)
    handed(HandedDown(frozenset({"pids"}), "the memory controller is missing"))
    own = []
    for name, version, controllers in (
        ("unified", 2, ()),
        ("memory", 1, ("memory",)),
        ("pids", 1, ("pids", "cpu")),
        ("cpuacct", 1, ("cpuacct",)),
    ):
        os.mkdir(tmp_path / name)
        own.append(OwnDirectory(str(tmp_path / name), version, frozenset(controllers)))
    detected = detect(own, NAME, set())
    assert [(tree.directory, tree.version, tree.roles) for tree in detected.trees] == [
        (tmp_path / "unified" / NAME, 2, {"kill", "pids"}),
        (tmp_path / "memory" / NAME, 1, {"memory"}),
        (tmp_path / "cpuacct" / NAME, 1, {"cpu"}),
    ]
    assert detected.reasons == ["the memory controller is missing"]
    assert str(detected) == "kill, memory (v1), pids (v2), cpu (v1)"


def test_a_kernel_without_cgroup_kill_offers_no_kill(
    tmp_path: Path, kernel: Callable[..., None], handed: Callable[..., list[object]]
) -> None:
    kernel("memory.max", "cgroup.subtree_control")
    handed(HandedDown(frozenset({"memory"})))
    detected = detect([OwnDirectory(str(tmp_path), 2)], NAME, set())
    assert [tree.roles for tree in detected.trees] == [{"memory"}]


def test_a_directory_that_is_there_already_is_used(
    tmp_path: Path, kernel: Callable[..., None], handed: Callable[..., list[object]]
) -> None:
    """Something in it could not be killed the last time."""
    kernel(*V2_FILES)
    handed(HandedDown())
    (tmp_path / NAME).mkdir()
    detected = detect([OwnDirectory(str(tmp_path), 2)], NAME, set())
    assert [tree.directory for tree in detected.trees] == [tmp_path / NAME]


def test_a_tree_that_hands_nothing_down_once_more_is_not_used_and_left_as_it_was(
    tmp_path: Path, kernel: Callable[..., None], handed: Callable[..., list[object]]
) -> None:
    kernel("cgroup.kill", "memory.max")  # no file to hand anything down with
    handed(HandedDown(frozenset({"memory"})))
    detected = detect([OwnDirectory(str(tmp_path), 2)], NAME, set())
    assert detected.trees == ()
    assert "No such file" in detected.reasons[0]
    assert str(tmp_path) in detected.reasons[0]
    assert not (tmp_path / NAME).exists()


def test_a_tree_that_may_not_be_written_is_named_and_nothing_is_handed_down(
    tmp_path: Path, handed: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = handed(HandedDown())
    monkeypatch.setattr(os, "access", lambda *_: False)
    detected = detect([OwnDirectory(str(tmp_path), 2)], NAME, set())
    assert (detected.trees, detected.reasons, asked) == ((), [f"{tmp_path} is not writable"], [])


def test_where_no_cgroup_is_seen_that_is_the_reason() -> None:
    detected = detect([], NAME, set())
    assert detected.trees == ()
    assert "no cgroup of this process can be seen" in detected.reasons[0]
    assert str(detected) == ""


def test_what_was_taken_is_given_back_the_trees_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller can't be taken back while a cgroup below has it."""
    calls: list[object] = []
    monkeypatch.setattr(detection, "remove", calls.append)
    monkeypatch.setattr(delegation, "undo", lambda *given: calls.append(given))
    trees = tuple(Tree(tmp_path / name, 1, frozenset()) for name in ("one", "two"))
    done = HandedDown(moved=True)
    Detected(trees, [], tmp_path, done).give_back()
    assert calls == [tmp_path / "one", tmp_path / "two", (tmp_path, done)]
    calls.clear()
    Detected(trees[:1]).give_back()
    assert calls == [tmp_path / "one"]


def test_only_a_directory_that_holds_this_process_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = []
    for name, pids in (("mine", f"1\n{os.getpid()}\n"), ("other", f"{os.getpid()}0\n"), ("none", None)):
        (tmp_path / name).mkdir()
        if pids is not None:
            (tmp_path / name / "cgroup.procs").write_text(pids)
        candidates.append(OwnDirectory(str(tmp_path / name), 1))
    monkeypatch.setattr(detection, "own_directories", lambda *_: candidates)
    assert own_cgroups() == candidates[:1]


def cgroup(directory: Path) -> Path:
    """A directory that looks like a cgroup, of which nothing is in."""
    directory.mkdir()
    (directory / "cgroup.procs").touch()
    return directory


@pytest.fixture
def cleared_places(monkeypatch: pytest.MonkeyPatch) -> dict[Path, tuple[set[int], bool]]:
    """What clearing each place says; filled in the order in which it is asked for."""
    answers: dict[Path, tuple[set[int], bool]] = {}
    monkeypatch.setattr(leftovers, "kill_and_remove", lambda place, _: answers.pop(place))
    monkeypatch.setattr(leftovers, "kill_marked", lambda _: (set(), 0))
    return answers


def test_an_earlier_run_is_looked_for_below_each_own_cgroup_and_where_it_has_written_down(
    tmp_path: Path, cleared_places: dict[Path, tuple[set[int], bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = identity_of(tmp_path)
    name = directory_name(identity)
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    places = [cgroup(here / name), cgroup(elsewhere / name)]
    leftovers.record(tmp_path, [])
    assert (tmp_path / leftovers.RECORD).stat().st_mode & 0o777 == 0o600
    cleared_places.update({places[0]: ({1, 2}, True), places[1]: ({2, 3}, False)})
    for further in ("third", "fourth"):  # more that can't be removed than can
        (tmp_path / further).mkdir()
        places.append(cgroup(tmp_path / further / name))
        cleared_places[places[-1]] = (set(), False)
    leftovers.record(tmp_path, [*places[::-1], elsewhere])
    monkeypatch.setattr(leftovers, "kill_marked", lambda given: ({3, 4}, 5 if given == identity else 0))
    cleared = leftovers.clear(tmp_path, identity, [here, tmp_path / "empty"])
    assert cleared == Cleared(killed=4, removed=1, stuck=8)
    assert cleared_places == {}
    assert bool(cleared)


def test_the_time_for_clearing_is_shared_by_all_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = identity_of(tmp_path)
    name = directory_name(identity)
    for parent in ("first", "second"):
        (tmp_path / parent).mkdir()
        cgroup(tmp_path / parent / name)
    now, bounds = [100.0], list[float]()

    def take_long(place: Path, bound_seconds: float) -> tuple[set[int], bool]:
        bounds.append(bound_seconds)
        now[0] += 60
        return set(), False

    monkeypatch.setattr(leftovers, "kill_and_remove", take_long)
    monkeypatch.setattr(leftovers, "kill_marked", lambda _: (set(), 0))
    monkeypatch.setattr(leftovers.time, "monotonic", lambda: now[0])
    leftovers.clear(tmp_path, identity, [tmp_path / "first", tmp_path / "second"])
    assert bounds == [leftovers._BOUND_SECONDS, 0.0]


def test_where_nothing_was_left_nothing_is_said(
    tmp_path: Path, cleared_places: dict[Path, tuple[set[int], bool]]
) -> None:
    cleared = leftovers.clear(tmp_path, identity_of(tmp_path), [tmp_path])
    assert not cleared


@pytest.mark.parametrize(
    "token", [b"", b"short\n", b"G" * 32, b"\xff" * 40], ids=["empty", "short", "no hex", "no text"]
)
def test_an_identity_that_can_not_be_read_is_made_anew(tmp_path: Path, token: bytes) -> None:
    (tmp_path / "identity").write_bytes(token)
    first = identity_of(tmp_path)
    assert identity_of(tmp_path) == first
    assert len(first) == 16
    assert (tmp_path / "identity").read_bytes() != token
