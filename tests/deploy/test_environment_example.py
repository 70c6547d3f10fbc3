"""The example of the environment file: every setting, with the default that the worker really has."""

from pathlib import Path

import pytest
from deploy_support import EXAMPLE, settings_of
from environment_example import render

from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings


def test_the_example_is_what_the_settings_model_says() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == render(), (
        "the settings have changed; write the file anew, as the docstring of environment_example.py says"
    )


def test_the_example_as_it_stands_sets_nothing() -> None:
    assert settings_of(EXAMPLE.read_text(encoding="utf-8")) == {}


def test_taking_away_every_comment_sign_changes_no_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*LEGACY_NAMES, *(ENV_PREFIX + field.upper() for field in DaemonSettings.model_fields)):
        monkeypatch.delenv(name, raising=False)
    defaults = DaemonSettings(engine_url="http://engine:3030")
    text = EXAMPLE.read_text(encoding="utf-8").replace(f"#{ENV_PREFIX}", ENV_PREFIX)
    for name, value in settings_of(text).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NEOPS_ENGINE_URL", "http://engine:3030")
    assert DaemonSettings() == defaults  # type: ignore[call-arg]  # the URL comes from the environment
