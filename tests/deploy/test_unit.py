"""The unit file: its times above those of the worker, and what the worker needs of systemd."""

import configparser
from pathlib import Path

import pytest
from deploy_support import UNIT, settings_of

from supervisor.commands.shared.common import EXIT_USAGE
from supervisor.launcher.importer import START_SECONDS
from supervisor.settings.contradictions import KILL_MARGIN_SECONDS
from supervisor.settings.run_settings import DaemonSettings


@pytest.fixture
def unit() -> dict[str, str]:
    return settings_of(UNIT.read_text(encoding="utf-8"))


@pytest.fixture
def defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DaemonSettings:
    """The settings of a worker that nobody has configured."""
    monkeypatch.chdir(tmp_path)
    for name in DaemonSettings.model_fields:
        monkeypatch.delenv(f"NEOPS_{name.upper()}", raising=False)
    return DaemonSettings(engine_url="http://engine:3030")


def test_no_setting_is_given_twice_with_another_value() -> None:
    text = UNIT.read_text(encoding="utf-8")
    # A parser that is strict about it; systemd would quietly take the last one.
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    parser.read_string(text)
    assert parser.sections() == ["Unit", "Service", "Install"]


def test_the_stop_time_out_is_above_the_longest_orderly_end(
    unit: dict[str, str], defaults: DaemonSettings
) -> None:
    unregistering = defaults.request_timeout_seconds
    longest = defaults.shutdown_timeout_seconds + KILL_MARGIN_SECONDS + unregistering
    assert float(unit["TimeoutStopSec"]) >= longest + 10


def test_the_start_time_out_is_above_the_longest_wait_for_the_engine(
    unit: dict[str, str], defaults: DaemonSettings
) -> None:
    importing = START_SECONDS + defaults.import_seconds
    assert float(unit["TimeoutStartSec"]) >= importing + defaults.startup_retry_seconds + 30


def test_a_wrong_setting_is_no_reason_to_start_again(unit: dict[str, str]) -> None:
    assert unit["RestartPreventExitStatus"] == str(EXIT_USAGE)


def test_the_unit_says_what_the_keeper_and_the_jobs_need(unit: dict[str, str]) -> None:
    wanted = {
        "Type": "notify",
        "ExecReload": "/opt/neops-supervisor/bin/supervisor reload",
        "NotifyAccess": "main",
        "KillMode": "mixed",
        "OOMPolicy": "continue",
        "Delegate": "yes",
        "StateDirectory": "neops-supervisor",
        "RuntimeDirectory": "neops-supervisor",
        "RuntimeDirectoryMode": "0700",
        "EnvironmentFile": "-/etc/neops-supervisor.env",
        "ExecStart": "/opt/neops-supervisor/bin/supervisor",
    }
    assert {name: unit[name] for name in wanted} == wanted
