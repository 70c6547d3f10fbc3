"""What `supervisor doctor` says of cgroups and of files with secrets."""

import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.commands.doctor import cgroups, credentials, users
from supervisor.commands.doctor.command import DoctorSettings
from supervisor.commands.doctor.finding import Finding, Status
from supervisor.process.cgroups.own_directories import OwnDirectory


def settings(**given: Any) -> DoctorSettings:
    return DoctorSettings(_cli_parse_args=False, **given)


def cgroup_finding(monkeypatch: pytest.MonkeyPatch, *own: OwnDirectory, **given: Any) -> Finding:
    monkeypatch.setattr(cgroups, "own_cgroups", lambda: list(own))
    return cgroups.cgroups(settings(**given))


def test_where_cgroups_can_not_be_made_it_is_said_what_the_worker_does_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = OwnDirectory(str(tmp_path / "not_there"), 2)
    for finding in (
        cgroup_finding(monkeypatch, cgroups="off"),
        cgroup_finding(monkeypatch),
        cgroup_finding(monkeypatch, closed),
    ):
        assert finding.status is Status.OK
        assert "kills by process groups" in finding.text
    assert "Delegate=yes" in finding.text


def test_a_controller_that_is_not_handed_down_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OwnDirectory(str(tmp_path), 2)
    (tmp_path / "cgroup.controllers").write_text("cpu pids\n")
    finding = cgroup_finding(monkeypatch, own)
    assert finding.status is Status.WARNING
    assert "offers no memory:" in finding.text
    in_version_1 = OwnDirectory(str(tmp_path / "one"), 1, frozenset({"memory"}))
    (tmp_path / "one").mkdir()
    assert cgroup_finding(monkeypatch, own, in_version_1).status is Status.OK
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    assert cgroup_finding(monkeypatch, own) == Finding(
        "cgroups", Status.OK, f"each job gets one, below {tmp_path}"
    )


def test_a_secret_that_others_can_reach_is_named_and_a_certificate_may_be_public(tmp_path: Path) -> None:
    token, certificate = tmp_path / "token", tmp_path / "certificate"
    token.write_text("a-token")
    certificate.write_text("-----BEGIN CERTIFICATE-----")
    certificate.chmod(0o644)
    given = settings(engine_token_file=token, engine_client_certificate=certificate)
    token.chmod(0o640)
    finding = credentials.credentials(given)
    assert (finding.status, finding.advice) == (Status.WARNING, f"chmod 600 {token}")
    token.chmod(0o600)
    assert credentials.credentials(given).status is Status.OK
    certificate.write_text("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----")
    assert str(certificate) in credentials.credentials(given).text
    assert credentials.credentials(settings()).status is Status.OK


def test_a_secret_that_the_worker_can_not_read_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("a-token")
    monkeypatch.setattr(credentials.os, "access", lambda *_: False)
    finding = credentials.credentials(settings(engine_token_file=token))
    assert finding.status is Status.FAILED
    assert "LoadCredential=" in finding.advice


@pytest.mark.needs("other users")
def test_what_systemd_hands_over_to_a_service_is_not_called_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    token.chmod(0o440)
    given = settings(engine_token_file=token, health_token_file=token, health_address="127.0.0.1:0")
    assert credentials.credentials(given).status is not Status.OK
    monkeypatch.setattr(credentials, "_LENT", tmp_path)
    finding = credentials.credentials(given)
    assert (finding.status, finding.text) == (Status.OK, "2 file(s), which only their owner can read")
    token.write_text("short")
    assert credentials.credentials(given).status is Status.FAILED


def test_a_control_group_that_is_not_there_or_not_the_worker_s_is_warned_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert users.control_group(settings()) is None
    missing = users.control_group(settings(control_group="no-such-group"))
    assert missing is not None
    assert (missing.status, missing.text) == (Status.WARNING, "There is no group no-such-group.")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "getgroups", lambda: [5])
    monkeypatch.setattr(os, "getegid", lambda: 6)
    for group, status in (("5", Status.OK), ("6", Status.OK), ("7", Status.WARNING)):
        finding = users.control_group(settings(control_group=group))
        assert finding is not None
        assert finding.status is status, group
