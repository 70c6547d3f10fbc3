"""The threshold on its way from the settings to the job."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from supervisor.settings.run_settings import RunSettings


@pytest.fixture(autouse=True)
def _no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_old_worker_s_variable_sets_it_and_leaves_the_stall_watch_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (RunSettings().blocking_seconds, RunSettings().stall_seconds) == (0.5, 10)
    monkeypatch.setenv("BLOCKING_DETECTION_THRESHOLD", "0.25")
    assert (RunSettings().blocking_seconds, RunSettings().stall_seconds) == (0.25, 10)
    monkeypatch.setenv("NEOPS_BLOCKING_SECONDS", "0")
    assert RunSettings().blocking_seconds == 0


def test_it_can_not_be_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOPS_BLOCKING_SECONDS", "-1")
    with pytest.raises(ValidationError, match="blocking_seconds"):
        RunSettings()
