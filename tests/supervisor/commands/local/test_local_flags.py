"""What of a command line is the worker's, and which blocks an author means."""

from pathlib import Path

import pytest

from supervisor.commands.check.command import CheckSettings
from supervisor.commands.dev import DevSettings
from supervisor.commands.local.command import LocalSettings
from supervisor.commands.local.flags import given_to_the_worker
from supervisor.commands.local.pair import without_another_engine
from supervisor.commands.local.sources import places_of
from supervisor.settings.command_line import parse
from supervisor.settings.run_settings import DaemonSettings


@pytest.fixture(autouse=True)
def nothing_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in DaemonSettings.model_fields:
        monkeypatch.delenv(f"NEOPS_{name.upper()}", raising=False)
    monkeypatch.delenv("DIR_FUNCTION_BLOCKS", raising=False)


def test_the_worker_gets_its_own_flags_and_none_of_the_command_s() -> None:
    given = ["--port", "0", "--json", "--state-dir", "x", "--log-level", "debug", "--max-job-seconds", "5"]
    given += ["--function-blocks", "a,b", "--function-blocks", "c", "--on-stall=kill"]
    flags = given_to_the_worker(LocalSettings, given)
    settings = parse(DaemonSettings, ["--engine-url", "http://engine", *flags], "supervisor")
    assert (settings.max_job_seconds, settings.function_blocks) == (5, ["a", "b", "c"])
    assert settings.on_stall == "kill"
    assert "--state-dir" not in flags
    assert settings.log_level == "debug"


def test_what_the_environment_says_is_left_to_the_worker_which_reads_it_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEOPS_MAX_JOB_SECONDS", "7")
    assert given_to_the_worker(LocalSettings, []) == []
    assert given_to_the_worker(DevSettings, ["here", "--max-job-seconds", "5"], {"max_job_seconds"}) == []


@pytest.mark.parametrize("model", [LocalSettings, DevSettings])
def test_four_jobs_run_at_a_time_unless_flag_or_environment_say_otherwise(
    model: type[LocalSettings | DevSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parse(model, [], "program").max_concurrent_jobs == 4
    Path(".env").write_text("NEOPS_MAX_CONCURRENT_JOBS=7")
    assert parse(model, [], "program").max_concurrent_jobs == 7
    monkeypatch.setenv("NEOPS_MAX_CONCURRENT_JOBS", "2")
    assert parse(model, [], "program").max_concurrent_jobs == 2
    assert parse(model, ["--max-concurrent-jobs", "3"], "program").max_concurrent_jobs == 3


def test_the_worker_is_not_told_of_another_engine_nor_of_a_proxy_before_this_one() -> None:
    given = {
        "URL_BLACKBOARD": "x",
        "NEOPS_ENGINE_CA_FILE": "x",
        "NEOPS_ENGINE_JOB_TIMEOUT_SECONDS": "9",
        "NEOPS_GRACE_SECONDS": "1",
        "NO_PROXY": "intern.example",
    }
    kept = without_another_engine(given)
    assert kept["no_proxy"].split(",") == ["intern.example", "127.0.0.1", "localhost", "::1"]
    assert kept.keys() - {"no_proxy", "NO_PROXY"} == {
        "NEOPS_ENGINE_JOB_TIMEOUT_SECONDS",
        "NEOPS_GRACE_SECONDS",
    }


@pytest.mark.parametrize(
    ("arguments", "environment", "places", "further"),
    [
        ([], None, ["."], []),
        (["a"], None, ["a"], []),
        ([], "blocks", [], ["blocks"]),
        (["a"], "blocks", ["a"], []),
        (["--function-blocks", "b"], "blocks", [], ["b"]),
        (["a", "--function-blocks", "b"], None, ["a"], ["b"]),
    ],
)
def test_what_is_given_takes_the_place_of_what_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: str | None,
    places: list[str],
    further: list[str],
) -> None:
    if environment:
        monkeypatch.setenv("DIR_FUNCTION_BLOCKS", environment)
    settings = parse(CheckSettings, arguments, "supervisor check")
    assert places_of(settings.places, settings, arguments) == (
        [Path(place).absolute() for place in places],
        further,
    )
