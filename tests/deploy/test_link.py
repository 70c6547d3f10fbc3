"""`make install` puts `supervisor` where a shell finds it, and units where systemd does: never over another's."""

import os
import stat
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


def test_a_unit_that_is_a_link_stays_one_and_what_it_leads_to_is_as_it_was(
    destination: Path, python: Path, tmp_path: Path
) -> None:
    """`systemctl mask` makes a link to /dev/null, and `systemctl link` one to a file of the administrator's."""
    other = tmp_path / "other.service"  # in the place of /dev/null, which no test may touch
    own = f"ExecStart={PROGRAM} local --port 4000\n"
    other.write_text(own)
    other.chmod(0o666)
    units = destination / "etc/systemd/system"
    units.mkdir(parents=True)
    linked = units / "neops-local.service"
    linked.symlink_to(other)
    plain = units / "neops-supervisor.service"
    plain.write_text("of an older release")
    plain.chmod(0o600)
    done = service("install", destination, python=python)
    assert done.returncode == 0, done.stderr
    assert (other.read_text(), stat.S_IMODE(other.stat().st_mode)) == (own, 0o666)
    assert os.readlink(linked) == str(other)
    assert f"{linked} is a link to {other} and stays" in done.stderr
    assert plain.read_text() == f"ExecStart={PROGRAM}\n"
    assert stat.S_IMODE(plain.stat().st_mode) == 0o644
    assert {path.name for path in units.iterdir()} == {
        *("neops-local.service", "neops-supervisor.service", "neops-supervisor@.service")
    }
    done = service("uninstall", destination, python=python)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in units.iterdir()] == [linked.name]
    assert f"this unit stays, it is a link to {other}: {linked}" in done.stderr


@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_the_service_s_user_may_read_what_is_installed_whatever_umask_root_has(
    destination: Path, python: Path, umask: int
) -> None:
    """Where it may not, the service ends with 203/EXEC, again and again, after an installation that was well."""
    done = service("install", destination, python=python, umask=umask)
    assert done.returncode == 0, done.stderr
    settings = destination / "etc/neops-supervisor.env"  # systemd reads it, as root
    open_to_all = {True: stat.S_IROTH | stat.S_IXOTH, False: stat.S_IROTH}
    found = [path for path in destination.rglob("*") if path != settings and not path.is_symlink()]
    assert destination / PROGRAM[1:] in found
    wanted = {path: open_to_all[path.is_dir()] for path in found}
    assert [str(path) for path in found if path.stat().st_mode & wanted[path] != wanted[path]] == []
