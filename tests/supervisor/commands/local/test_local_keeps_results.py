"""What jobs return is kept where one person tries things out, and not where many people's data go through."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.commands.local import command
from supervisor.commands.local.pair import PairOptions
from supervisor.settings.run_settings import DaemonSettings


@pytest.mark.parametrize(
    ("given", "word"), [([], "--keep-results"), (["--no-keep-results"], "--no-keep-results")]
)
def test_local_has_results_kept_unless_it_is_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], word: str
) -> None:
    asked: list[PairOptions] = []

    class Pair:
        def __init__(self, options: PairOptions, *_: Any) -> None:
            asked.append(options)

    async def nothing(*_: Any) -> int:
        return 0

    monkeypatch.setattr(command, "Pair", Pair)
    monkeypatch.setattr(command, "run_pair", nothing)
    monkeypatch.chdir(tmp_path)
    assert command.run([*given, "--state-dir", str(tmp_path / "state")]) == 0
    flags = list(asked[0].worker_flags)
    assert [flag for flag in flags if "keep-results" in flag] == [word]


def test_a_worker_keeps_none_unless_it_is_told_to() -> None:
    assert DaemonSettings.model_fields["keep_results"].default is False
