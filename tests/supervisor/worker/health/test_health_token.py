"""The token for the metrics: from a file that is the worker's alone, and never in a message."""

import os
from pathlib import Path

import pytest

from supervisor.commands.doctor import credentials
from supervisor.commands.doctor.command import DoctorSettings
from supervisor.commands.doctor.finding import Status
from supervisor.errors import StartRefusedError, WrongSettingError
from supervisor.process.user_names import user_name
from supervisor.settings.token_file import read_health_token
from tests.capabilities import NOBODY

TOKEN = "0123456789abcdef0123456789abcdef"


def file_of(directory: Path, content: str, mode: int = 0o600) -> Path:
    path = directory / "token"
    path.touch(0o600)
    path.write_text(content)
    os.chmod(path, mode)
    return path


def test_it_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert read_health_token(file_of(tmp_path, f"{TOKEN}\n")) == TOKEN


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (TOKEN, 0o644, "is open to every user of this machine"),
        (TOKEN, 0o640, "is open to its group"),
        ("short-one", 0o600, "has fewer than 16 characters, which can be guessed"),
        ("", 0o600, "is empty"),
        (f"{TOKEN} {TOKEN}", 0o600, "holds no token"),
    ],
)
def test_one_that_others_know_or_can_guess_refuses_the_start_and_is_not_told(
    tmp_path: Path, content: str, mode: int, reason: str
) -> None:
    path = file_of(tmp_path, content, mode)
    with pytest.raises(StartRefusedError, match=reason) as caught:
        read_health_token(path)
    assert str(path) in str(caught.value)
    assert not content or content not in str(caught.value)
    assert "the token for the metrics" in str(caught.value)
    assert "engine" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "mode"), [(TOKEN, 0o644), ("short-one", 0o600), (f"{TOKEN} {TOKEN}", 0o600)]
)
def test_one_that_only_a_person_can_mend_is_a_wrong_setting_which_systemd_does_not_try_again(
    tmp_path: Path, content: str, mode: int
) -> None:
    path = file_of(tmp_path, content, mode)
    with pytest.raises(WrongSettingError) as caught:
        read_health_token(path)
    assert caught.value.exit_code == 2
    settings = DoctorSettings(_cli_parse_args=False, health_token_file=path, health_address="127.0.0.1:0")
    finding = credentials.credentials(settings)
    assert (finding.status, finding.text) == (Status.FAILED, str(caught.value))


@pytest.mark.parametrize("content", [None, ""])
def test_one_that_is_not_there_yet_is_tried_again(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token" if content is None else file_of(tmp_path, content)
    with pytest.raises(StartRefusedError) as caught:
        read_health_token(path)
    assert caught.value.exit_code == 1


@pytest.mark.needs("other users")
def test_one_that_another_user_knows_is_refused_also_for_root(tmp_path: Path) -> None:
    path = file_of(tmp_path, TOKEN)
    os.chown(path, NOBODY - 1, NOBODY)
    with pytest.raises(WrongSettingError, match="belongs to"):
        read_health_token(path)


@pytest.mark.needs("other users")
def test_doctor_of_root_judges_that_of_a_service_as_its_user_would_and_says_who_that_is(
    tmp_path: Path,
) -> None:
    path = file_of(tmp_path, TOKEN)
    os.chown(path, NOBODY - 1, NOBODY - 1)
    settings = DoctorSettings(_cli_parse_args=False, health_token_file=path, health_address="127.0.0.1:0")
    finding = credentials.credentials(settings)
    assert (finding.status, finding.advice) == (Status.OK, "")
    assert f"right for a worker that runs as {user_name(NOBODY - 1)}" in finding.text
    path.chmod(0o640)
    finding = credentials.credentials(settings)
    assert finding.status is Status.FAILED
    assert "is open to its group" in finding.text
