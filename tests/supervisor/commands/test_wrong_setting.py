"""A setting that can't be used is named by the way in which it was set."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from commands_support import open_to_look_through, supervisor_as_nobody

from supervisor.commands.doctor.command import DoctorSettings
from supervisor.commands.shared.common import read_settings
from supervisor.settings.command_line import parse
from supervisor.settings.contradictions import contradictions
from supervisor.settings.marks import CLOSED_TO_JOBS_VARIABLE
from supervisor.settings.run_settings import DaemonSettings, RunSettings
from tests.capabilities import NOBODY


@pytest.mark.parametrize(
    ("variables", "arguments", "named"),
    [
        (
            {"BLOCKING_DETECTION_THRESHOLD": "abc"},
            [],
            "BLOCKING_DETECTION_THRESHOLD in the environment (here --blocking-seconds or ",
        ),
        ({"NEOPS_BLOCKING_SECONDS": "abc"}, [], "NEOPS_BLOCKING_SECONDS in the environment: "),
        (
            {"NEOPS_BLOCKING_SECONDS": "abc", "BLOCKING_DETECTION_THRESHOLD": "1"},
            [],
            "NEOPS_BLOCKING_SECONDS in the environment: ",
        ),
        (
            {"BLOCKING_DETECTION_THRESHOLD": "1"},
            ["--blocking-seconds=abc"],
            "--blocking-seconds: ",
        ),
    ],
)
def test_the_variable_that_was_set_is_the_one_that_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    arguments: list[str],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read_settings(RunSettings, arguments, "program")
    assert capsys.readouterr().err.startswith(f"program: {named}")


def test_journald_takes_the_reason_why_a_service_does_not_start_for_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets the log's lines with their levels, and would take this one for information: `journalctl -p err`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEOPS_BLOCKING_SECONDS", "abc")
    status = os.fstat(2)
    for stream, mark in ((f"{status.st_dev}:{status.st_ino}", "<3>"), ("1:1", ""), ("", "")):
        monkeypatch.setenv("JOURNAL_STREAM", stream)
        with pytest.raises(SystemExit):
            read_settings(RunSettings, [], "program")
        assert capsys.readouterr().err.startswith(
            f"{mark}program: NEOPS_BLOCKING_SECONDS in the environment: "
        )


def test_an_old_name_in_the_file_of_variables_is_named_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("BLOCKING_DETECTION_THRESHOLD=abc\n")
    with pytest.raises(SystemExit):
        read_settings(RunSettings, [], "program")
    assert capsys.readouterr().err.startswith("program: BLOCKING_DETECTION_THRESHOLD in .env, line 1 (here ")


Complaints = Callable[..., list[str]]


@pytest.fixture
def complaints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Complaints:
    """Read the daemon's settings from flags, environment and `.env`, which must fail; return what is said."""
    monkeypatch.chdir(tmp_path)

    def read(*arguments: str, file: str = "", **variables: str) -> list[str]:
        Path(".env").write_text(file)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            read_settings(DaemonSettings, list(arguments), "program")
        assert end.value.code == 2
        *lines, last = capsys.readouterr().err.splitlines()
        assert last == "Try 'program --help'."
        return [line.removeprefix("program: ") for line in lines]

    return read


def test_what_is_wrong_unknown_and_contradictory_is_told_at_once_each_with_its_place(
    complaints: Complaints,
) -> None:
    said = complaints(
        *("--engine-url", "ftp://x", "--max-job-seconds", "10000"),
        file="# mine\n\nexport NEOPS_POLL_SECONDS=abc\nHEARTBEAT_INTERVAL=-1\nNEOPS_MAX_JOB_SECOND=secret\n",
        NEOPS_MAX_RESULT_MB="1.5",
        NEOPS_LOG_LEVEL="loud",
    )
    assert sorted(said) == [
        "--engine-url: must be a URL such as http://engine:3030.",
        "--max-job-seconds 10000 and --grace-seconds 10, with 30 s to kill and report, make 10040 s, but the engine "
        "gives a job up after 720 s and would reject the result. Use --max-job-seconds 680 or less.",
        "HEARTBEAT_INTERVAL in .env, line 4 (here --heartbeat-seconds or NEOPS_HEARTBEAT_SECONDS): "
        "must be more than 0.",
        "NEOPS_LOG_LEVEL in the environment: must be one of debug, info, warning or error.",
        "NEOPS_MAX_JOB_SECOND in .env, line 5 is no setting of this worker, so it has no effect. "
        "Did you mean NEOPS_MAX_JOB_SECONDS?",
        "NEOPS_MAX_RESULT_MB in the environment: must be a whole number, and not '1.5'.",
        "NEOPS_POLL_SECONDS in .env, line 3: must be a number, and not 'abc'.",
    ]


@pytest.mark.parametrize("model", [DaemonSettings, DoctorSettings])
@pytest.mark.parametrize("url", ["http://engine..corp:3030", f"https://{'a' * 64}.corp"])
def test_an_engine_s_name_that_no_host_can_have_is_wrong_usage_of_each_command_that_asks_the_engine(
    capsys: pytest.CaptureFixture[str], model: type[DaemonSettings], url: str
) -> None:
    with pytest.raises(SystemExit) as end:
        read_settings(model, ["--engine-url", url], "program")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("program: --engine-url: must name a host, such as ")


def test_what_was_given_for_a_number_is_told_and_nothing_as_long_as_a_token(complaints: Complaints) -> None:
    said = complaints(
        *("--engine-url", "http://engine:3030"),
        NEOPS_MAX_JOB_SECONDS="300 # five minutes",
        NEOPS_POLL_SECONDS="0123456789abcdef" * 3,
    )
    assert sorted(said) == [
        "NEOPS_MAX_JOB_SECONDS in the environment: must be a number, and not '300 # five minutes'.",
        "NEOPS_POLL_SECONDS in the environment: must be a number.",
    ]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999"])
def test_what_is_no_finite_number_is_no_number(complaints: Complaints, value: str) -> None:
    said = complaints(
        *("--engine-url", "http://engine:3030"),
        f"--import-seconds={value}",
        file=f"NEOPS_STARTUP_RETRY_SECONDS={value}\n",
    )
    assert sorted(said) == [
        f"--import-seconds: must be a number, and not '{value}'.",
        f"NEOPS_STARTUP_RETRY_SECONDS in .env, line 1: must be a number, and not '{value}'.",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--engine-client-key", __file__), "Give --engine-client-certificate too."),
        (("--on-stall", "kill", "--stall-seconds", "0"), "Give --stall-seconds 10, or leave --on-stall out."),
        (("--grace-seconds", "700"), "Use a shorter --grace-seconds."),
        (("--keep-results", "--keep-jobs", "0"), "Leave --keep-results out, or give another --keep-jobs."),
        (
            ("--health-token-file", __file__, "--health-address", "/run/neops/health.sock"),
            "Leave --health-token-file out, or give a port, such as 127.0.0.1:9464.",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_told_with_what_to_change(
    arguments: tuple[str, ...], words: str, complaints: Complaints
) -> None:
    (said,) = complaints("--engine-url", "http://x", *arguments)
    assert said.endswith(words)


def test_a_user_in_the_engine_s_address_beside_a_token_is_one_message_without_the_password(
    complaints: Complaints,
) -> None:
    url = "https://svc:Trellis-Wagon-1842@engine"
    (said,) = complaints("--engine-url", url, "--engine-token-file", __file__)
    assert said == (
        "--engine-url has a user, and --engine-token-file a token: a request has room for one of them. "
        "Take the user out of --engine-url, or leave --engine-token-file out."
    )
    assert list(contradictions({"engine_url": url, "engine_token_file": None})) == []


def test_a_command_that_keeps_results_by_itself_may_run_a_worker_that_keeps_no_jobs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `supervisor local` does, with NEOPS_KEEP_JOBS=0 around it."""
    values = {"keep_results": True, "keep_jobs": 0}
    assert len(list(contradictions(values))) == 1
    monkeypatch.setenv(CLOSED_TO_JOBS_VARIABLE, "/srv/state")
    assert list(contradictions(values)) == []


def test_a_misspelt_isolation_is_one_message_with_what_there_is(complaints: Complaints) -> None:
    assert complaints("--engine-url", "http://x", NEOPS_ISOLATION="kernle") == [
        "NEOPS_ISOLATION in the environment: must be one of off or kernel."
    ]


def test_a_writable_path_that_would_open_the_state_directory_is_one_message(
    complaints: Complaints, tmp_path: Path
) -> None:
    (tmp_path / "state" / "jobs").mkdir(parents=True)
    words = ("--state-dir", str(tmp_path / "state"), "--writable-paths", str(tmp_path / "state" / "jobs"))
    (said,) = complaints("--engine-url", "http://x", *words)
    assert said.startswith(
        f"--writable-paths {tmp_path}/state/jobs would let jobs write the worker's state directory"
    )


def test_a_setting_that_is_missing_is_told_with_both_ways_to_give_it(complaints: Complaints) -> None:
    assert complaints() == ["--engine-url is missing; it can also be given as NEOPS_ENGINE_URL."]


def test_a_file_of_variables_that_can_not_be_read_is_one_message(
    monkeypatch: pytest.MonkeyPatch, complaints: Complaints
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", ".env")

    monkeypatch.setattr("supervisor.commands.shared.common.parse", refuse)
    assert complaints() == ["The file .env in this directory can't be read: Permission denied."]


def test_in_the_file_our_own_name_goes_before_the_old_one_and_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("POLL_INTERVAL=5\nNEOPS_POLL_SECONDS=3\n")
    read = lambda: parse(DaemonSettings, ["--engine-url", "http://x"], "program").poll_seconds  # noqa: E731
    assert read() == 3
    monkeypatch.setenv("POLL_INTERVAL", "7")
    assert read() == 7
    monkeypatch.setenv("NEOPS_POLL_SECONDS", "8")
    assert read() == 8


@pytest.mark.needs("other users")
def test_a_file_or_a_directory_below_one_that_is_closed_is_named_and_no_other(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "hosts").touch()
    open_to_look_through(closed)
    done = supervisor_as_nobody("blocks", "--known-hosts", str(closed / "hosts"))
    assert done.returncode == 2
    assert f"--known-hosts: {closed / 'hosts'} is not a file that can be read." in done.stderr
    done = supervisor_as_nobody("doctor", "--json", "--state-dir", str(closed / "state"))
    (found,) = [each for each in json.loads(done.stdout)["checks"] if each["check"] == "state directory"]
    assert f"{closed} is not a directory that user {NOBODY} can write." in found["text"]
