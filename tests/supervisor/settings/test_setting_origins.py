"""Each setting in force says where it comes from, and shows no secret."""

from pathlib import Path

import pytest

from supervisor.commands.shared.common import read_settings
from supervisor.settings.origins import DEFAULT, origins_of, setting_rows, shown
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings

PASSWORD = "Trellis-Wagon-1842"


@pytest.fixture(autouse=True)
def _empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NEOPS_ENGINE_URL", "URL_BLACKBOARD", "NEOPS_GRACE_SECONDS", "POLL_INTERVAL", "WORKER_NAME"):
        monkeypatch.delenv(name, raising=False)


def settings_of(*arguments: str) -> DaemonSettings:
    settings = read_settings(DaemonSettings, list(arguments), "supervisor")
    settings.come_from(origins_of(DaemonSettings, list(arguments), ENV_PREFIX))
    return settings


def test_each_setting_names_the_flag_the_variable_the_line_or_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("# mine\nNEOPS_HEARTBEAT_SECONDS=7\nPOLL_INTERVAL=3\nNEOPS_GRACE_SECONDS=2\n")
    monkeypatch.setenv("NEOPS_GRACE_SECONDS", "4")
    monkeypatch.setenv("WORKER_NAME", "old-name")
    settings = settings_of("--engine-url=http://engine:1", "--max-job-seconds", "9")
    rows = {row.name: (row.value, row.origin) for row in setting_rows(settings)}
    assert set(rows) == set(DaemonSettings.model_fields)
    assert rows["engine_url"] == ("http://engine:1", "--engine-url")
    assert rows["max_job_seconds"] == ("9", "--max-job-seconds")
    assert rows["grace_seconds"] == ("4", "NEOPS_GRACE_SECONDS in the environment")
    assert rows["worker_name"] == ("old-name", "WORKER_NAME in the environment")
    assert rows["heartbeat_seconds"] == ("7", "NEOPS_HEARTBEAT_SECONDS in .env, line 2")
    assert rows["poll_seconds"] == ("3", "POLL_INTERVAL in .env, line 3")
    assert rows["max_concurrent_jobs"] == ("1", DEFAULT)
    assert rows["max_job_memory_mb"] == (None, DEFAULT)


def test_a_login_in_an_address_is_never_shown() -> None:
    settings = settings_of("--engine-url", f"http://me:{PASSWORD}@engine:1/a?token={PASSWORD}")
    assert PASSWORD not in repr(setting_rows(settings))
    assert shown(settings.engine_url) == "http://***@engine:1/a?***"
    assert shown(f"https://me:{PASSWORD[:4]}/{PASSWORD}@engine") == "https://***@engine"


def test_what_is_not_set_anew_keeps_its_origin() -> None:
    settings = settings_of("--engine-url", "http://engine:1")
    copy = settings.model_copy()
    copy.come_from({"engine_url": "elsewhere"})
    assert (copy.origin_of("engine_url"), settings.origin_of("engine_url")) == ("elsewhere", "--engine-url")
