"""Settings of the log, and variables that look like settings and are none."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from supervisor.job.mask import secret_names_of
from supervisor.settings.run_settings import DaemonSettings, RunSettings
from supervisor.settings.unknown_variables import unknown_variables
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_levels_and_names_of_secrets_come_from_the_environment_into_every_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEOPS_LOG_LEVELS", "netmiko=WARNING, blocks.ping=debug")
    monkeypatch.setenv("NEOPS_REDACT_KEYS", "pin,login_seed")
    settings = RunSettings()
    assert settings.log_level_numbers == {"netmiko": 30, "blocks.ping": 10}
    assert settings.redact_keys == ["pin", "login_seed"]
    assert "loginSeed" in secret_names_of(settings)


def test_the_old_worker_s_name_for_names_of_secrets_works_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_REDACT_EXTRA_KEYS", "pin, seed")
    assert RunSettings().redact_keys == ["pin", "seed"]


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("LOG_LEVELS", "netmiko", "'netmiko'"),
        ("LOG_LEVELS", "a=info,netmiko=loud", "'netmiko=loud'"),
        ("LOG_LEVELS", "=info", "'=info'"),
        ("REDACT_KEYS", "pin,x", "'x'"),
        ("REDACT_KEYS", "__", "'__'"),
        ("REDACT_KEYS", ",".join(f"key{number}" for number in range(201)), "200"),
    ],
)
def test_what_can_t_be_used_is_refused_with_the_item_that_is_wrong(
    setting: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NEOPS_{setting}", value)
    with pytest.raises(ValidationError, match=named):
        RunSettings()


def test_a_misspelt_variable_is_named_with_the_setting_that_was_meant_and_never_its_value(
    empty_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_directory / ".env").write_text("NEOPS_MAX_JOB_SECOND=swordfish\nNEOPS_LOG_LEVEL=info\n")
    monkeypatch.setenv("NEOPS_WORKER", "not a setting, and set by the worker itself")
    monkeypatch.setenv("NEOPS_COLOUR_OF_LOGO", "swordfish")
    for name in DaemonSettings.model_fields:
        monkeypatch.setenv(f"NEOPS_{name.upper()}", "")
    messages = list(unknown_variables())
    assert [message.split()[0] for message in messages] == ["NEOPS_COLOUR_OF_LOGO", "NEOPS_MAX_JOB_SECOND"]
    assert "supervisor --help" in messages[0]
    assert "Did you mean NEOPS_MAX_JOB_SECONDS?" in messages[1]
    assert "swordfish" not in " ".join(messages)


def test_the_daemon_warns_of_it_once_at_its_start(empty_directory: Path) -> None:
    command = [sys.executable, "-m", "supervisor", "--engine-url", "http://127.0.0.1:9"]
    command += ["--state-dir", str(empty_directory / "state"), "--startup-retry-seconds", "0"]
    (empty_directory / ".env").write_text("NEOPS_POLL_SECOND=3\n")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    warnings = [line for line in done.stderr.splitlines() if "NEOPS_POLL_SECOND " in line]
    assert done.returncode == 1
    assert len(warnings) == 1
    assert "Did you mean NEOPS_POLL_SECONDS?" in warnings[0]
