"""What `--isolation` means for one worker: which of its files jobs may reach, and what the log says."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobrunner.protocol.isolation import FileRules, Isolation
from supervisor.process.kernel_isolation import KernelIsolation
from supervisor.settings.marks import closed_to_jobs
from supervisor.settings.run_settings import DaemonSettings, RunSettings
from supervisor.worker import isolation_report
from supervisor.worker.code_places import block_places
from supervisor.worker.isolation import directories_without_new_files, isolation_of
from supervisor.worker.isolation_report import tell_isolation, what_holds, what_is_missing

ALL = KernelIsolation(7, seccomp=True, session_keyring=True)
NOTHING = KernelIsolation(no_landlock="this kernel has none", no_seccomp="a filter forbids it")


def settings(state: Path, **given: Any) -> DaemonSettings:
    given = {"engine_url": "http://engine", "state_dir": state, "isolation": "kernel"} | given
    return DaemonSettings(_cli_parse_args=False, **given)


def files_of(given: RunSettings) -> FileRules:
    return isolation_of(given, ALL).files


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_off_asks_the_kernel_for_nothing(tmp_path: Path) -> None:
    assert isolation_of(settings(tmp_path, isolation="off"), ALL) == Isolation()


def test_what_the_kernel_offers_is_what_is_asked_for(tmp_path: Path) -> None:
    found = isolation_of(settings(tmp_path), KernelIsolation(3, seccomp=False, session_keyring=True))
    assert (found.landlock_abi, found.seccomp, found.new_session_keyring) == (3, False, True)
    assert not found.contain_signals


def test_every_secret_of_the_worker_is_closed(tmp_path: Path) -> None:
    secrets = {
        name: made(tmp_path / "secrets" / name)
        for name in ("engine_token_file", "engine_client_certificate", "engine_client_key", "known_hosts")
    }
    files = files_of(settings(tmp_path / "state", **secrets))
    assert set(files.closed) == {str(tmp_path / "state"), *map(str, secrets.values())}
    assert files.jobs_directory == str(tmp_path / "state" / "jobs")


def test_code_interpreter_settings_and_cgroups_are_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = made(tmp_path / "blocks" / "one.py").parent
    bundle = made(tmp_path / "ca.pem")
    read_only = files_of(
        settings(tmp_path / "state", function_blocks=[str(blocks)], engine_ca_file=bundle)
    ).read_only
    wanted = {str(blocks), sys.base_prefix, os.path.realpath(sys.executable), str(bundle), "/sys/fs/cgroup"}
    assert wanted <= set(read_only)
    # Not there, and not to be made: it would turn isolation off at the next start.
    assert str(tmp_path / ".env") in read_only
    assert "/" not in read_only


def test_of_one_file_of_blocks_its_compiled_one_can_not_be_put_there_either(tmp_path: Path) -> None:
    file = made(tmp_path / "one.py")
    assert block_places([str(file)]) == [str(file), str(tmp_path / "__pycache__")]


def test_a_block_in_a_package_is_protected_with_the_modules_that_it_may_import(tmp_path: Path) -> None:
    made(tmp_path / "package" / "__init__.py")
    inner = made(tmp_path / "package" / "blocks" / "__init__.py").parent
    assert block_places([str(inner), str(inner / "__init__.py")]) == [str(tmp_path / "package")] * 2


def test_a_module_of_blocks_is_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made(tmp_path / "loud" / "__init__.py")).write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert block_places(["loud.inner.blocks", "nowhere_at_all"]) == [str(tmp_path / "loud")]


def test_one_block_alone_has_nothing_closed_and_its_code_is_read_only(tmp_path: Path) -> None:
    """Of `run-block` and the fixtures of pytest: nothing of a worker lies on the disk."""
    blocks = made(tmp_path / "blocks" / "one.py").parent
    given = RunSettings(_cli_parse_args=False, isolation="kernel", function_blocks=[str(blocks)])
    files = files_of(given)
    assert (files.closed, files.jobs_directory) == ((), None)
    assert str(blocks) in files.read_only


def test_what_a_command_keeps_that_runs_the_worker_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in closed_to_jobs([tmp_path / "local", tmp_path / "running"]).items():
        monkeypatch.setenv(name, value)
    closed = files_of(settings(tmp_path / "local" / "worker")).closed
    assert {str(tmp_path / "local"), str(tmp_path / "running")} <= set(closed)


def test_a_state_directory_that_is_a_link_is_closed_and_so_is_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "data")
    files = files_of(settings(tmp_path / "state"))
    assert files.closed == (str(tmp_path / "state"), str(tmp_path / "data"))
    assert files.jobs_directory == str(tmp_path / "data" / "jobs")


def test_blocks_inside_the_state_directory_stay_readable(tmp_path: Path) -> None:
    blocks = made(tmp_path / "state" / "blocks" / "one.py").parent
    files = files_of(settings(tmp_path / "state", function_blocks=[str(blocks)]))
    assert str(blocks) in files.read_only
    assert files.closed == (str(tmp_path / "state"),)


@pytest.mark.parametrize("inside", ["", "jobs", "further"])
def test_a_writable_path_that_would_open_the_state_directory_is_refused(tmp_path: Path, inside: str) -> None:
    (tmp_path / "state" / inside).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "state")
    for path in (tmp_path / "state" / inside, tmp_path / "link" / inside):
        with pytest.raises(ValidationError, match=r"would let jobs write the worker's state directory"):
            settings(tmp_path / "state", writable_paths=[str(path)])


def test_a_writable_path_above_the_state_directory_opens_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    files = files_of(settings(tmp_path / "state", writable_paths=[str(tmp_path)]))
    assert files.writable == (str(tmp_path),)
    assert files.closed == (str(tmp_path / "state"),)


@pytest.mark.parametrize(("path", "said"), [("none", "does not exist; make it"), ("/", "names everything")])
def test_a_writable_path_that_can_not_be_meant_is_refused(tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(tmp_path / "state", writable_paths=[str(tmp_path / path)])


def test_a_misspelt_isolation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="isolation"):
        settings(tmp_path, isolation="kernle")


def told(
    caplog: pytest.LogCaptureFixture, given: DaemonSettings, kernel: KernelIsolation
) -> logging.LogRecord:
    caplog.clear()
    with pytest.MonkeyPatch.context() as patched, caplog.at_level(logging.INFO):
        patched.setattr(isolation_report.kernel_isolation, "detect", lambda: kernel)
        tell_isolation(given)
    (record,) = caplog.records
    return record


def test_the_log_says_in_one_line_what_holds_and_where_nothing_can_be_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = told(caplog, settings(tmp_path / "state"), ALL)
    assert (record.levelno, vars(record)["event"]) == (logging.INFO, "isolation_in_force")
    assert "Landlock ABI 7" in record.getMessage()
    assert str(tmp_path) in vars(record)["facts"]["directories"]
    assert "\n" not in record.getMessage()


def test_the_log_warns_of_what_the_kernel_lacks_and_what_a_job_can_do_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = told(caplog, settings(tmp_path / "state"), NOTHING)
    assert (record.levelno, vars(record)["event"]) == (logging.WARNING, "isolation_incomplete")
    assert "jobs can read the worker's files" in record.getMessage()
    assert "a filter forbids it" in record.getMessage()
    assert "can make nothing" not in record.getMessage()


def test_off_is_said_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = told(caplog, settings(tmp_path, isolation="off"), ALL)
    assert "--isolation off" in record.getMessage()


def test_what_is_as_it_was_is_not_said_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = settings(tmp_path)
    first = tell_isolation(given)
    caplog.clear()
    tell_isolation(given, first)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("abi", "words"),
    [
        (1, ["ABI 3", "ABI 2", "ABI 6"]),
        (2, ["ABI 3", "ABI 6"]),
        (3, ["ABI 6"]),
        (5, ["ABI 6"]),
        (6, []),
    ],
)
def test_what_each_version_of_landlock_lacks_is_said_in_a_sentence_each(abi: int, words: list[str]) -> None:
    kernel = KernelIsolation(abi, seccomp=True)
    said = list(what_is_missing(kernel, has_job_users=False))
    assert len(said) == len(words)
    assert all(word in sentence for word, sentence in zip(words, said, strict=True))


def test_with_job_users_the_kernel_needs_no_landlock_against_signals_and_reading() -> None:
    assert list(what_is_missing(KernelIsolation(6, seccomp=True), has_job_users=True)) == []
    said = " ".join(what_is_missing(KernelIsolation(2, seccomp=True), has_job_users=True))
    assert "signal" not in said
    assert "empty" not in said


def test_what_holds_is_said_for_each_part_alone() -> None:
    assert "seccomp" not in what_holds(KernelIsolation(7))
    assert "Landlock" not in what_holds(KernelIsolation(seccomp=True))
    assert what_holds(KernelIsolation()) == "Nothing that --isolation kernel asks for can be had here."


def test_without_landlock_new_files_can_be_made_anywhere(tmp_path: Path) -> None:
    assert directories_without_new_files(isolation_of(settings(tmp_path), NOTHING)) == []
