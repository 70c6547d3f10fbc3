"""`supervisor host-keys`, beside a worker's files. That a running worker notices is in `test_host_key_store`."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from commands_support import (
    Done,
    open_to_look_through,
    supervisor,
    supervisor_as_nobody,
    supervisor_here,
    supervisor_on_a_read_only_disk,
)

from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.files import KeptFile
from tests.capabilities import NOBODY
from tests.supervisor.job.host_keys.host_keys_support import R1, R1_HIGH, R2, some_key


def host_keys(directory: Path, *arguments: str) -> Done:
    return supervisor_here("host-keys", *arguments, "--state-dir", str(directory))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of a worker that knows three keys."""
    (tmp_path / "journal.sqlite3").touch()
    KeptFile(tmp_path / "known_hosts").add([(endpoint, some_key()) for endpoint in (R1, R1_HIGH, R2)])
    return tmp_path


def names_in(directory: Path) -> list[str]:
    listed = host_keys(directory)
    assert (listed.returncode, listed.stderr) == (0, "")
    return [name for key in json.loads(listed.stdout)["host_keys"] for name in key["names"]]


def test_the_list_names_address_type_fingerprint_and_since_when(state: Path) -> None:
    listed = json.loads(supervisor("host-keys", "list", "--json", "--state-dir", str(state)).stdout)
    assert listed["file"] == str(state / "known_hosts")
    first = listed["host_keys"][0]
    assert (first["names"], first["type"]) == (["10.0.0.1"], "ssh-ed25519")
    assert first["fingerprint"].startswith("SHA256:")
    assert first["comment"].startswith("first-seen=20")


def test_forgetting_an_address_is_for_each_of_its_ports_unless_one_is_named(state: Path) -> None:
    done = host_keys(state, "forget", "10.0.0.1:2222")
    assert (done.returncode, done.stderr) == (0, "")
    assert names_in(state) == ["10.0.0.1", "10.0.0.2"]
    KeptFile(state / "known_hosts").add([(R1_HIGH, some_key())])
    assert host_keys(state, "forget", "10.0.0.1").returncode == 0
    assert names_in(state) == ["10.0.0.2"]


def test_what_is_not_known_can_not_be_forgotten_and_is_named(state: Path) -> None:
    done = host_keys(state, "forget", "10.0.0.2", "10.0.0.77")
    assert done.returncode == 1
    assert "10.0.0.77" in done.stderr
    assert "10.0.0.2," not in done.stderr
    assert names_in(state) == ["10.0.0.1", "[10.0.0.1]:2222"]


@pytest.mark.parametrize("words", [["forget"], ["forget", "a b"], ["list", "x"], ["forgte", "10.0.0.1"]])
def test_wrong_usage_changes_nothing(state: Path, words: list[str]) -> None:
    done = host_keys(state, *words)
    assert done.returncode == 2
    assert len(names_in(state)) == 3


def test_without_a_worker_it_says_where_it_looked(tmp_path: Path) -> None:
    done = host_keys(tmp_path / "nowhere")
    assert done.returncode == 1
    assert "--state-dir" in done.stderr


def test_a_file_that_can_not_be_read_is_named(state: Path) -> None:
    (state / "known_hosts").unlink()
    (state / "known_hosts").mkdir()
    done = host_keys(state)
    assert done.returncode == 1
    assert "known_hosts" in done.stderr


@pytest.fixture
def theirs(state: Path) -> Path:
    """The same directory, of another user."""
    for path in (state, *state.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    return state


@pytest.mark.needs("other users")
def test_what_root_leaves_there_belongs_to_the_workers_user(theirs: Path) -> None:
    assert host_keys(theirs, "forget", "10.0.0.2").returncode == 0
    assert (theirs / "known_hosts").stat().st_uid == NOBODY
    assert {path.stat().st_uid for path in theirs.iterdir()} == {NOBODY}
    assert names_in(theirs) == ["10.0.0.1", "[10.0.0.1]:2222"]


@pytest.fixture
def of_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of root's with host keys, which no other user can read."""
    file = tmp_path_factory.mktemp("of-root") / "known_hosts"
    KeptFile(file).add([(endpoint, some_key()) for endpoint in (R1, R2)])
    return file


@pytest.mark.needs("other users")
@pytest.mark.parametrize("trick", [os.symlink, os.link])
def test_root_neither_shows_nor_copies_what_the_owner_has_linked_to(
    theirs: Path, of_root: Path, trick: Callable[[Path, Path], None]
) -> None:
    before = of_root.read_bytes()
    (theirs / "known_hosts").unlink()
    trick(of_root, theirs / "known_hosts")
    for words in (["list"], ["forget", "10.0.0.1"]):
        done = host_keys(theirs, *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{theirs / 'known_hosts'} is a link, no ordinary file, or not that of user" in done.stderr
    assert (theirs / "known_hosts").samefile(of_root)
    assert (of_root.read_bytes(), of_root.stat().st_uid) == (before, 0)


@pytest.mark.needs("other users")
def test_a_file_of_root_s_does_not_become_the_owner_s_by_the_name_of_the_lock(
    theirs: Path, of_root: Path
) -> None:
    (theirs / "known_hosts.lock").unlink()
    os.link(of_root, theirs / "known_hosts.lock")
    done = host_keys(theirs, "forget", "10.0.0.1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "root has the rights of that user there" in done.stderr
    assert of_root.stat().st_uid == 0
    assert len(names_in(theirs)) == 3


def test_a_key_that_is_added_after_one_was_forgotten_is_listed(state: Path) -> None:
    host_keys(state, "forget", "10.0.0.1", "10.0.0.2")
    KeptFile(state / "known_hosts").add([(Endpoint("10.0.0.3", 22), some_key())])
    assert names_in(state) == ["10.0.0.3"]


@pytest.mark.needs("mounts of root")
def test_on_a_disk_that_became_read_only_keys_are_listed_and_the_disk_is_named(state: Path) -> None:
    of = ("--state-dir", str(state))
    assert len(json.loads(supervisor_on_a_read_only_disk(state, "host-keys", *of).stdout)["host_keys"]) == 3
    done = supervisor_on_a_read_only_disk(state, "host-keys", "forget", "10.0.0.1", *of)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{state / 'known_hosts'} can't be changed: its file system is read-only." in done.stderr


@pytest.mark.needs("other users")
def test_somebody_else_is_told_whose_the_keys_are(state: Path) -> None:
    open_to_look_through(state)
    state.chmod(0o755)
    for words in (["list"], ["forget", "10.0.0.1"]):
        done = supervisor_as_nobody("host-keys", *words, "--state-dir", str(state))
        assert done.returncode == 1
        assert f"may not use the file {state / 'known_hosts'}. It belongs to user root." in done.stderr
