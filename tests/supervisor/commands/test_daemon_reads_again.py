"""Settings that can't be read anew are a reload that is refused, and no reason to stop."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.commands import daemon as daemon_module
from supervisor.commands.shared.common import read_settings
from supervisor.errors import ReloadRefusedError
from supervisor.settings.legacy_environment import NamesForBlocks
from supervisor.settings.run_settings import DaemonSettings


@pytest.mark.parametrize(
    ("number", "reason", "retryable"),
    [(errno.EMFILE, r"Too many open files \(EMFILE\)\. Raise", True), (errno.EACCES, r".*'\.env'", False)],
)
def test_a_file_of_settings_that_can_not_be_opened_refuses_the_reload(
    monkeypatch: pytest.MonkeyPatch, number: int, reason: str, retryable: bool
) -> None:
    def parse(*_: object) -> None:
        raise OSError(number, "no", ".env")

    monkeypatch.setattr(daemon_module, "parse", parse)
    with pytest.raises(ReloadRefusedError, match=f"The settings can't be read: {reason}") as refused:
        daemon_module._read_again([], NamesForBlocks())
    assert refused.value.retryable is retryable


def test_a_line_of_the_file_that_can_not_be_read_refuses_start_and_reload_and_is_named(
    names: NamesForBlocks, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".env").write_text(
        "OTHERS = {\nNEOPS_MAX_JOB_SECONDS 5\nNEOPS_GRACE_SECONDS=3\nexport POLL_INTERVAL\n"
    )
    with pytest.raises(ReloadRefusedError) as refused:
        daemon_module._read_again(ENGINE, names)
    with pytest.raises(SystemExit) as ended:
        read_settings(DaemonSettings, ENGINE, "supervisor")
    said = capsys.readouterr().err
    assert ended.value.code == 2
    for text in (str(refused.value), said):
        assert (
            "NEOPS_MAX_JOB_SECONDS in .env, line 2: can't be read. Write NEOPS_MAX_JOB_SECONDS=VALUE." in text
        )
        assert "POLL_INTERVAL in .env, line 4" in text
        assert "OTHERS" not in text
        assert "dotenv" not in text


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[NamesForBlocks]:
    monkeypatch.chdir(tmp_path)
    for name in ("POLL_INTERVAL", "WORKER_NAME", "URL_BLACKBOARD"):
        monkeypatch.delenv(name, raising=False)
    names = NamesForBlocks()
    yield names
    names.withdraw()


ENGINE = ["--engine-url", "http://user:hidden-1@engine:3030"]


def test_jobs_see_the_values_in_force_by_their_old_names_and_no_password(
    names: NamesForBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLL_INTERVAL", "10")
    settings = daemon_module.in_force(
        daemon_module._read_again([*ENGINE, "--poll-seconds", "3"], names), names
    )
    assert set(settings.job_env) >= {"POLL_INTERVAL", "URL_BLACKBOARD", "HEARTBEAT_INTERVAL"}
    assert "WORKER_NAME" not in settings.job_env
    assert (os.environ["POLL_INTERVAL"], os.environ["HEARTBEAT_INTERVAL"]) == ("3", "20")
    assert os.environ["URL_BLACKBOARD"] == "http://engine:3030"
    names.withdraw()
    assert (os.environ["POLL_INTERVAL"], os.environ.get("HEARTBEAT_INTERVAL")) == ("10", None)


def test_what_jobs_see_does_not_decide_what_is_read_anew(names: NamesForBlocks) -> None:
    Path(".env").write_text("POLL_INTERVAL=5\n")

    def read() -> DaemonSettings:
        return daemon_module._read_again(ENGINE, names)

    assert read().poll_seconds == 5
    Path(".env").write_text("POLL_INTERVAL=6\n")
    assert read().poll_seconds == 6
    Path(".env").write_text("POLL_INTERVAL=none\n")
    with pytest.raises(ReloadRefusedError):
        read()
    assert os.environ["POLL_INTERVAL"] == "6"
