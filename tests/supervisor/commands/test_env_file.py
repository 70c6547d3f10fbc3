"""What may lie in the place of `.env`: it holds up nobody who reads the settings, and one message says what it is."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.commands import daemon as daemon_module
from supervisor.commands.shared.common import read_settings
from supervisor.errors import ReloadRefusedError
from supervisor.settings import env_file
from supervisor.settings.legacy_environment import NamesForBlocks
from supervisor.settings.run_settings import DaemonSettings
from supervisor.settings.unknown_variables import unknown_variables

ENGINE = ["--engine-url", "http://engine:3030"]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[NamesForBlocks]:
    monkeypatch.chdir(tmp_path)
    names = NamesForBlocks()
    yield names
    names.withdraw()


def make_huge() -> None:
    with open(".env", "wb") as file:
        file.truncate(env_file.CAP_BYTES + 1)


def make_socket() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(".env")


MADE = {
    "it is a named pipe": lambda: os.mkfifo(".env"),
    "it is a device": lambda: os.symlink("/dev/zero", ".env"),
    "it has more than 1 MB": make_huge,
    "No such device or address": make_socket,
    "Too many levels of symbolic links": lambda: os.symlink(".env", ".env"),
}


@pytest.mark.parametrize("reason", MADE)
async def test_what_is_no_file_of_settings_refuses_start_and_reload_in_one_message(
    names: NamesForBlocks, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    settings = read_settings(DaemonSettings, ENGINE, "supervisor")
    MADE[reason]()
    said = f"The file .env in this directory can't be read: {reason}."
    reader = daemon_module.SettingsReader(ENGINE, names, settings)
    with pytest.raises(ReloadRefusedError) as refused:
        await reader.read()
    assert str(refused.value) == said
    await reader.close()
    with pytest.raises(SystemExit) as ended:
        read_settings(DaemonSettings, ENGINE, "supervisor")
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [f"supervisor: {said}", "Try 'supervisor --help'."]


async def test_a_disk_that_hangs_refuses_the_reload_and_the_loop_goes_on(
    names: NamesForBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(DaemonSettings, ENGINE, "supervisor")
    disk = threading.Event()
    monkeypatch.setattr(env_file, "read", lambda: str(disk.wait()))
    reader = daemon_module.SettingsReader(ENGINE, names, settings)
    reader._disk.limit_seconds = 0.05
    reading = asyncio.ensure_future(reader.read())
    with pytest.raises(ReloadRefusedError, match=r"\.env .*: the disk has not answered within 0\.05 s"):
        await reading
    disk.set()
    await reader.close()


def test_blocks_of_the_other_package_see_whole_seconds_as_it_reads_nothing_else(
    names: NamesForBlocks,
) -> None:
    odd = ["--poll-seconds", "0.05", "--shutdown-timeout-seconds", "1000000", "--blocking-seconds", "0.25"]
    names.publish(read_settings(DaemonSettings, [*ENGINE, *odd], "supervisor"))
    seen = [
        os.environ[name] for name in ("POLL_INTERVAL", "SHUTDOWN_TIMEOUT", "BLOCKING_DETECTION_THRESHOLD")
    ]
    assert seen == ["1", "1000000", "0.25"]


@pytest.mark.parametrize("make", [lambda: None, lambda: os.mkdir(".env")])
def test_no_file_and_a_directory_of_its_name_set_nothing(make: object) -> None:
    make()  # type: ignore[operator]
    assert read_settings(DaemonSettings, ENGINE, "supervisor").poll_seconds == 1
    assert env_file.values() == {}


def test_the_file_is_read_by_all_who_read_it_and_what_is_held_counts_in_its_place() -> None:
    Path(".env").write_text(
        "NEOPS_POLL_SECONDS=3\nneops_grace_seconds=4\nNEOPS_MAX_JOB_SECONDS=\nNEOPS_POL=1\nHEARTBEAT_INTERVAL=7\n"
    )
    settings = read_settings(DaemonSettings, ENGINE, "supervisor")
    assert (settings.poll_seconds, settings.grace_seconds, settings.heartbeat_seconds) == (3, 4, 7)
    assert settings.max_job_seconds == 600
    assert ["NEOPS_POL in .env, line 4" in problem for problem in unknown_variables()] == [True]
    with env_file.held("NEOPS_POLL_SECONDS=5\n"):
        assert read_settings(DaemonSettings, ENGINE, "supervisor").poll_seconds == 5
        assert list(unknown_variables()) == []
    assert read_settings(DaemonSettings, ENGINE, "supervisor").poll_seconds == 3
