"""Commands of a person find the services' workers, whose directories no variable of his shell names."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.commands.control.requests import client_of
from supervisor.commands.control.settings import ControlSettings
from supervisor.commands.journal.places import find_journal
from supervisor.commands.shared import service_places
from supervisor.worker.control_socket.client import NoWorkerError

Listen = Callable[[str], Path]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a /run, a /var/lib, and a home directory of its own."""
    for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "NEOPS_STATE_DIR", "NEOPS_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(service_places, "RUNTIME", tmp_path / "run")
    monkeypatch.setattr(service_places, "STATE", tmp_path / "lib")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def listen(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listen]:
    """Returns a function that has something listen below the machine, as a worker does."""
    sockets = []

    def listening(place: str) -> Path:
        directory = machine / place
        directory.mkdir(parents=True)
        sockets.append(one := socket.socket(socket.AF_UNIX))
        monkeypatch.chdir(directory)
        one.bind("control.sock")
        one.listen()
        monkeypatch.chdir(machine)
        return directory

    yield listening
    for each in sockets:
        each.close()


def asked(state_dir: Path | None = None) -> Path:
    return client_of(ControlSettings(_cli_parse_args=False, state_dir=state_dir)).directory


@pytest.mark.parametrize(
    "place",
    ["run/neops-supervisor", "run/neops-supervisor-east", "run/neops-local", "home/neops-supervisor/run"],
)
def test_the_worker_that_listens_is_found_wherever_units_and_users_have_it(
    place: str, listen: Listen
) -> None:
    directory = listen(place)
    assert asked() == directory


def test_a_service_s_state_directory_leads_to_its_runtime_directory(machine: Path, listen: Listen) -> None:
    listen("run/neops-supervisor-west")
    assert asked(machine / "lib/neops-supervisor-east") == machine / "lib/neops-supervisor-east/run"
    east = listen("run/neops-supervisor-east")
    assert asked(machine / "lib/neops-supervisor-east") == east
    assert asked(machine / "lib/private/neops-supervisor-east") == east
    local = listen("run/neops-local")
    for place in ("lib/neops-local", "lib/neops-local/worker"):
        assert asked(machine / place) == local


def test_several_that_listen_are_all_named_and_the_socket_of_a_dead_one_is_not(
    machine: Path, listen: Listen
) -> None:
    first = listen("run/neops-supervisor-east")
    dead = machine / "home/neops-supervisor/run"
    dead.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as once:
        descriptor = os.open(dead, os.O_RDONLY | os.O_DIRECTORY)
        once.bind(f"/proc/self/fd/{descriptor}/control.sock")  # its path may be too long for a socket
        os.close(descriptor)
    assert asked() == first
    second = listen("run/neops-supervisor")
    with pytest.raises(NoWorkerError) as refused:
        asked()
    assert f"--runtime-dir {first}" in str(refused.value)
    assert f"--runtime-dir {second}" in str(refused.value)
    assert str(dead) not in str(refused.value)


def test_where_none_listens_every_place_is_named(machine: Path) -> None:
    settings = ControlSettings(_cli_parse_args=False)
    with pytest.raises(NoWorkerError) as refused:
        client_of(settings).ask("status")
    for place in ("home/neops-supervisor/run", "home/neops-local/worker/run", "run/neops-supervisor"):
        assert str(machine / place) in str(refused.value)


def test_the_journal_of_the_service_is_found_and_said_to_be_its(machine: Path) -> None:
    def journal_in(place: str) -> Path:
        (machine / place).mkdir(parents=True)
        (machine / place / "journal.sqlite3").touch()
        return machine / place / "journal.sqlite3"

    of_service = journal_in("lib/neops-supervisor")
    found = find_journal(None)
    assert (found.path, found.others, found.is_of_a_service) == (of_service, (), True)
    mine = journal_in("home/neops-supervisor")
    found = find_journal(None)
    assert (found.path, found.others, found.is_of_a_service) == (mine, (of_service,), False)
