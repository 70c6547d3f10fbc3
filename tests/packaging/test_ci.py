"""The checks run before a change is taken: they run the README's test command, and refuse to run another."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


def run_checks(folder: Path, readme: str) -> subprocess.CompletedProcess[str]:
    """Run the checks in a folder that holds them, this README, and nothing that they could check."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "README.md").write_text(readme)
    command = ["bash", ".ci/run"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


@pytest.mark.parametrize(
    ("readme", "complaint"),
    [
        ("Call `make test`.\n", "shows no test command"),
        ("```sh\nmake demo\n```\nmake test\n", "shows no test command"),
        ("```console\n$ make test ARGS=-x  # quick\n```\n", "shows 'make test ARGS=-x' as its test command"),
    ],
)
def test_a_readme_with_another_test_command_fails_the_checks(
    tmp_path: Path, readme: str, complaint: str
) -> None:
    result = run_checks(tmp_path, readme)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert result.stdout == ""
