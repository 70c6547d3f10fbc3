"""`supervisor doctor --unit`: the settings are those that systemd gives the service."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.commands.doctor.unit_settings import (
    UnitSettingsError,
    environment_of,
    variables_in,
    without_flag,
    without_settings,
)
from tests.patience import PATIENCE_SECONDS

SHOWN = """\
LoadState=loaded
Environment=NEOPS_WORKER_NAME=of-the-unit "NEOPS_ENGINE_TOKEN_FILE=/run/credentials/a b" NEOPS_SPARES=3
EnvironmentFiles={file} (ignore_errors=yes)
EnvironmentFiles={missing} (ignore_errors=yes)
StateDirectory=neops-supervisor-core
RuntimeDirectory=neops-supervisor-core:link other
"""


def systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch, shown: str) -> None:
    """Have a `systemctl` that answers this, and keeps what it was asked."""
    (folder / "shown").write_text(shown)
    program = folder / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >{folder}/asked\ncat {folder}/shown\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_what_the_unit_and_its_files_set_is_found_and_where_its_directories_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text("NEOPS_SPARES=1\nNEOPS_ENGINE_URL=http://engine:3030\n")
    systemctl(tmp_path, monkeypatch, SHOWN.format(file=tmp_path / "env", missing=tmp_path / "none"))
    assert environment_of("neops-supervisor@core") == {
        "NEOPS_WORKER_NAME": "of-the-unit",
        "NEOPS_ENGINE_TOKEN_FILE": "/run/credentials/a b",
        "NEOPS_SPARES": "1",  # systemd.exec(5): a file goes before Environment=
        "NEOPS_ENGINE_URL": "http://engine:3030",
        "STATE_DIRECTORY": "/var/lib/neops-supervisor-core",
        "RUNTIME_DIRECTORY": "/run/neops-supervisor-core",
    }
    assert (tmp_path / "asked").read_text().endswith("-- neops-supervisor@core.service\n")


def test_a_file_is_read_as_systemd_reads_it() -> None:
    text = """\
# NEOPS_A=comment
 ; NEOPS_B=comment
NEOPS_C = spaces around # and no comment
NEOPS_D="a \\"quoted\\" word"
NEOPS_E='left \\as $it is'
NEOPS_F=one\\
two
NEOPS_G=
no assignment
"""
    assert variables_in(text) == {
        "NEOPS_C": "spaces around # and no comment",
        "NEOPS_D": 'a "quoted" word',
        "NEOPS_E": "left \\as $it is",
        "NEOPS_F": "onetwo",
        "NEOPS_G": "",
    }


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("LoadState=not-found\n", "systemd knows no unit neops."),
        ("LoadState=masked\n", "The unit neops is masked"),
        ("LoadState=bad-setting\n", r"can't load the unit neops \(bad-setting\)"),
        (
            "LoadState=loaded\nEnvironmentFiles=/nowhere/env (ignore_errors=no)\n",
            "/nowhere/env, which the unit names",
        ),
    ],
)
def test_what_can_not_be_learnt_is_one_message(
    shown: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl(tmp_path, monkeypatch, shown)
    with pytest.raises(UnitSettingsError, match=said):
        environment_of("neops")


def test_without_systemd_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnitSettingsError, match="systemd can't be asked"):
        environment_of("neops")


def test_a_shells_settings_and_the_flag_itself_are_left_out() -> None:
    given = {"NEOPS_SPARES": "1", "STATE_DIRECTORY": "/x", "URL_BLACKBOARD": "http://e", "PATH": "/bin"}
    assert without_settings(given) == {"PATH": "/bin"}
    assert without_flag("--unit", ["--unit", "a", "--json", "--unit=b"]) == ["--json"]


def test_doctor_checks_with_what_the_unit_sets_and_not_with_what_the_shell_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text("NEOPS_MAX_SLOTS=3\n")
    (tmp_path / ".env").write_text("NEOPS_OF_DOT_ENV=1\n")
    systemctl(
        tmp_path, monkeypatch, f"LoadState=loaded\nEnvironmentFiles={tmp_path / 'env'} (ignore_errors=no)\n"
    )
    monkeypatch.setenv("NEOPS_OF_THE_SHELL", "1")
    (told,) = [
        each for each in doctor(tmp_path, "--unit", "neops")["checks"] if each["check"] == "variable names"
    ]
    assert "NEOPS_MAX_SLOTS" in told["text"]
    assert "NEOPS_OF_" not in told["text"]


def test_what_is_wrong_in_the_shell_or_in_its_directory_is_not_the_unit_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("NEOPS_MAX_JOB_SECONDS=10m\n")
    systemctl(tmp_path, monkeypatch, "LoadState=loaded\nEnvironment=NEOPS_MAX_SLOTS=3\n")
    monkeypatch.setenv("NEOPS_SPARES", "many")
    monkeypatch.setenv("POLL_INTERVAL", "often")
    checks = {each["check"]: each["text"] for each in doctor(tmp_path, "--unit=neops")["checks"]}
    assert "NEOPS_MAX_SLOTS" in checks["variable names"]


def doctor(cwd: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", "doctor", "--json", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return json.loads(done.stdout)
