"""`make install` puts `supervisor` where a shell finds it, and `make uninstall` takes it away: never another's."""

import os
from pathlib import Path

import pytest

from tests.deploy.fake_python import make_python
from tests.deploy.test_uninstall import PREFIX, service

PROGRAM = f"{PREFIX}/bin/supervisor"


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    (tmp_path / "destination").mkdir()
    return tmp_path / "destination"


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return make_python(tmp_path)


def test_supervisor_is_in_the_path_after_the_installation_and_gone_after_its_end(
    destination: Path, python: Path
) -> None:
    link = destination / "usr/local/bin/supervisor"
    for _ in range(2):  # also where it is there already
        done = service("install", destination, python=python)
        assert done.returncode == 0, done.stderr
        assert os.readlink(link) == PROGRAM
    done = service("uninstall", destination, python=python)
    assert done.returncode == 0, done.stderr
    assert list((destination / "usr").rglob("*") if (destination / "usr").exists() else []) == []


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_program_of_this_name_that_is_another_s_stays_and_is_told_of(
    destination: Path, python: Path, kind: str
) -> None:
    other = destination / "usr/local/bin/supervisor"
    other.parent.mkdir(parents=True)
    if kind == "file":
        other.write_text("another's")
    else:
        other.symlink_to("/srv/other/bin/supervisor")
    done = service("install", destination, python=python)
    assert done.returncode == 0, done.stderr
    assert f"{other} is another's and stays" in done.stderr
    assert service("uninstall", destination, python=python).returncode == 0
    assert other.is_symlink() if kind == "link" else other.read_text() == "another's"
