"""`make uninstall` removes what `make install` has made, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.fake_installation import MARK, PACKAGE, make_installation
from tests.patience import PATIENCE_SECONDS

DEPLOY = Path(__file__).parents[2] / "deploy"
PREFIX = "/opt/neops-supervisor"


def service(
    verb: str,
    destination: Path | str,
    prefix: str = PREFIX,
    python: Path | str = sys.executable,
    umask: int = -1,
) -> subprocess.CompletedProcess[str]:
    """Run `make install` or `make uninstall`, without what make does."""
    return subprocess.run(
        ["sh", str(DEPLOY / "service.sh"), verb, str(python), "stable", str(destination), prefix],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        umask=umask,
        check=False,
    )


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A destination with an installation, and what others have there besides."""
    make_installation(tmp_path / PREFIX[1:])
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / "neops-supervisor.service").write_text(f"[Service]\nExecStart={PREFIX}/bin/supervisor\n")
    (tmp_path / "etc/neops-supervisor.env").write_text((DEPLOY / "neops-supervisor.env.example").read_text())
    (tmp_path / "srv").mkdir()
    return tmp_path


def test_an_installation_goes_and_what_others_have_stays(installed: Path) -> None:
    other = installed / "etc/systemd/system/neops-local.service"
    other.write_text("[Service]\nExecStart=/srv/neops/bin/supervisor local\n")
    done = service("uninstall", installed)
    assert done.returncode == 0, done.stderr
    assert files(installed) == {
        "srv",
        "etc",
        "etc/systemd",
        "etc/systemd/system",
        str(other.relative_to(installed)),
    }
    assert f"this unit stays, it starts no program of {PREFIX}" in done.stderr


@pytest.mark.parametrize("lacks", [MARK, "pyvenv.cfg", PACKAGE])
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_directory_that_install_has_not_made_is_neither_removed_nor_replaced(
    installed: Path, lacks: str, verb: str
) -> None:
    missing = installed / PREFIX[1:] / lacks
    shutil.rmtree(missing) if missing.is_dir() else missing.unlink()
    before = files(installed)
    done = service(verb, installed)
    assert (done.returncode, "is no installation of the worker: it " in done.stderr) == (1, True), done.stderr
    assert "Nothing is done." in done.stderr
    assert files(installed) == before


@pytest.mark.parametrize(
    "prefix",
    [
        *("/usr", "/usr/local", "/usr/local/bin", "/opt", "/home/anybody", "/etc/neops", "/var/lib", "/"),
        *("", "opt/x", "/opt//x", "/opt/x/..", "/opt/../x/y", "/opt/a b", "/opt/a|b"),
    ],
)
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_prefix_that_others_use_is_refused_whatever_is_in_it(
    tmp_path: Path, verb: str, prefix: str
) -> None:
    make_installation(tmp_path / prefix.lstrip("/"))
    before = files(tmp_path)
    done = service(verb, tmp_path, prefix)
    assert (done.returncode, f"{verb}: PREFIX={prefix.rstrip('/')} is " in done.stderr) == (1, True)
    assert files(tmp_path) == before


@pytest.mark.parametrize("destination", ["", "{}"])
def test_a_prefix_that_the_unit_would_hide_is_refused(tmp_path: Path, destination: str) -> None:
    prefix = f"{tmp_path}/home" if tmp_path.is_relative_to("/tmp") else "/run/user/1/neops"
    done = service("install", destination.format(tmp_path), prefix)
    assert (done.returncode, "install: The service can't start: its unit hides" in done.stderr) == (1, True)
    assert f"{prefix} is in one" in done.stderr
    assert "Nothing is done." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_python_that_the_unit_would_hide_is_refused_by_its_real_place(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    # What is asked of it: where it and its library really are.
    python.write_text("#!/bin/sh\necho /usr/bin/python3\necho /run/user/1000/python\n")
    python.chmod(0o755)
    done = service("install", "", "/opt/neops-supervisor-of-a-test", python)
    assert (done.returncode, "the Python /run/user/1000/python is in one" in done.stderr) == (1, True)
    assert "PYTHON=/usr/bin/python3" in done.stderr
    assert not Path("/opt/neops-supervisor-of-a-test").exists()


def test_without_an_installation_there_units_of_another_one_stay(installed: Path) -> None:
    before = files(installed)
    done = service("uninstall", installed, "/opt/elsewhere")
    assert (
        done.returncode,
        "/opt/elsewhere is no installation of the worker: it is no directory" in done.stderr,
    ) == (1, True)
    assert files(installed) == before
