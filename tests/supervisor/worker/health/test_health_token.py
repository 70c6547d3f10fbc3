"""The token for the metrics: from a file that is the worker's alone, and never in a message."""

import os
from pathlib import Path

import pytest

from supervisor.errors import StartRefusedError
from supervisor.settings.token_file import read_health_token

TOKEN = "0123456789abcdef0123456789abcdef"


def file_of(directory: Path, content: str, mode: int = 0o600) -> Path:
    path = directory / "token"
    path.touch(0o600)
    path.write_text(content)
    os.chmod(path, mode)
    return path


def test_it_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert read_health_token(file_of(tmp_path, f"{TOKEN}\n")) == TOKEN


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (TOKEN, 0o644, "is open to every user of this machine"),
        (TOKEN, 0o640, "is open to its group"),
        ("short-one", 0o600, "has fewer than 16 characters, which can be guessed"),
        ("", 0o600, "is empty"),
        (f"{TOKEN} {TOKEN}", 0o600, "holds no token"),
    ],
)
def test_one_that_others_know_or_can_guess_refuses_the_start_and_is_not_told(
    tmp_path: Path, content: str, mode: int, reason: str
) -> None:
    path = file_of(tmp_path, content, mode)
    with pytest.raises(StartRefusedError, match=reason) as caught:
        read_health_token(path)
    assert str(path) in str(caught.value)
    assert not content or content not in str(caught.value)
    assert "the token for the metrics" in str(caught.value)
    assert "engine" not in str(caught.value)
