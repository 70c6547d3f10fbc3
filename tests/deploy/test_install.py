"""`deploy/install.sh`: what it refuses, and that a failure leaves what was there as it was."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.fake_installation import make_installation
from tests.deploy.fake_python import make_python
from tests.patience import PATIENCE_SECONDS

INSTALL = Path(__file__).parents[2] / "deploy" / "install.sh"


def install(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(INSTALL), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    ("client", "directory", "said"),
    [
        ("newest", "{}/env", "CLIENT=newest is unknown. Use stable or next."),
        ("stable", "env", "DIRECTORY has to be an absolute path"),
        ("stable", "{}", "is no installation of the worker: it has no file .neops-supervisor-installation"),
    ],
)
def test_what_can_t_be_meant_is_refused_and_changes_nothing(
    tmp_path: Path, client: str, directory: str, said: str
) -> None:
    (tmp_path / "mine").write_text("mine")
    done = install(sys.executable, client, directory.format(tmp_path))
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_python_that_the_unit_would_hide_is_warned_of(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    # As new as is wanted, in a home directory, and then it breaks: nothing is installed.
    python.write_text(
        "#!/bin/sh\ncase $2 in *base_prefix*) echo /run/user/1/python3; exit ;; *ensurepip*) exit 0 ;; esac\nexit 9\n"
    )
    python.chmod(0o755)
    done = install(str(python), "stable", str(tmp_path / "env"), "/opt/neops-supervisor")
    assert done.returncode == 9
    assert "install: warning: The service can't start" in done.stderr
    assert "the Python /run/user/1/python3 is in one" in done.stderr


def test_with_too_few_words_it_says_how_it_is_called() -> None:
    done = install("python3")
    assert (done.returncode, "sh deploy/install.sh PYTHON CLIENT DIRECTORY" in done.stderr) == (2, True)


def test_packages_that_can_t_be_had_leave_the_environment_as_it_was(tmp_path: Path) -> None:
    environment = tmp_path / "env"
    make_installation(environment)
    (environment / "pyvenv.cfg").write_text("old")
    done = install(sys.executable, "stable", str(environment), PIP_NO_INDEX="1", PIP_NO_CACHE_DIR="1")
    assert done.returncode != 0
    assert (environment / "pyvenv.cfg").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["env"]


PYTHON = """\
#!/bin/sh
# Makes the environment of the tools, in which each call of pip is well, and fails with the one of the worker.
case "$*" in
    *base_prefix*) echo /opt/python3 ;;
    *--without-pip*) exit 9 ;;
    "-m venv "*)
        mkdir -p "$3/bin"
        printf '#!/bin/sh\\n' >"$3/bin/python"
        chmod 755 "$3/bin/python" ;;
esac
"""


@pytest.mark.parametrize("there", [["env"], ["env.old"], ["env", "env.old"], []])
def test_an_environment_that_can_t_be_made_costs_no_good_one_also_after_an_install_that_was_cut_off(
    tmp_path: Path, there: list[str]
) -> None:
    """One that is killed leaves the good one as `env.old`; its user may have moved its own half away."""
    (tmp_path / "python3").write_text(PYTHON)
    (tmp_path / "python3").chmod(0o755)
    for name in there:
        make_installation(tmp_path / "opt" / name)
        (tmp_path / "opt" / name / "pyvenv.cfg").write_text(name)
    done = install(str(tmp_path / "python3"), "stable", str(tmp_path / "opt/env"))
    assert done.returncode == 9, done.stderr
    assert [(path.name, (path / "pyvenv.cfg").read_text()) for path in (tmp_path / "opt").iterdir()] == [
        ("env", name) for name in there[:1]
    ]


@pytest.mark.parametrize("name", ["HUP", "INT", "TERM"])
def test_a_signal_puts_back_the_environment_that_was_there_and_another_one_does_not_hinder_it(
    tmp_path: Path, name: str
) -> None:
    """A connection that is lost is a HUP."""
    signalled = f'*--without-pip*) kill -{name} "$PPID" ;;'
    (tmp_path / "python3").write_text(PYTHON.replace("*--without-pip*) exit 9 ;;", signalled))
    (tmp_path / "python3").chmod(0o755)
    rm = tmp_path / "programs/rm"
    rm.parent.mkdir()
    # Signals again while what is half made goes.
    rm.write_text(
        f'#!/bin/sh\n{shutil.which("rm")} "$@"\ncase $2 in */opt/env) kill -{name} "$PPID" ;; esac\n'
    )
    rm.chmod(0o755)
    make_installation(tmp_path / "opt/env")
    (tmp_path / "opt/env/pyvenv.cfg").write_text("old")
    path = f"{rm.parent}:{os.environ['PATH']}"
    done = install(str(tmp_path / "python3"), "stable", str(tmp_path / "opt/env"), PATH=path)
    assert done.returncode == 128 + signal.Signals[f"SIG{name}"], done.stderr
    assert [path.name for path in (tmp_path / "opt").iterdir()] == ["env"]
    assert (tmp_path / "opt/env/pyvenv.cfg").read_text() == "old"


@pytest.mark.parametrize(
    ("when", "python_of_next", "left"),
    [
        ('*--without-pip*) mkdir -p "$last/bin"', PYTHON, "old"),
        ("*--no-compile*) true", PYTHON, "old"),
        ("*--no-compile*) true", None, ""),
    ],
    ids=["before its packages", "among its packages", "and the next is whole"],
)
def test_the_install_after_one_that_was_killed_begins_with_the_last_good_environment(
    tmp_path: Path, when: str, python_of_next: str | None, left: str
) -> None:
    python = make_python(tmp_path)
    whole = python.read_text()
    kills = f'case "$*" in\n    {when}; kill -KILL "$PPID" ;;'
    python.write_text(whole.replace('case "$*" in', kills, 1))
    make_installation(tmp_path / "opt/env")
    (tmp_path / "opt/env/pyvenv.cfg").write_text("old")
    (tmp_path / "temporary").mkdir()  # what one that is killed leaves there
    environment = {"TMPDIR": str(tmp_path / "temporary")}
    killed = install(str(python), "stable", str(tmp_path / "opt/env"), **environment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sorted(path.name for path in (tmp_path / "opt").iterdir()) == ["env", "env.old"]
    python.write_text(python_of_next or whole)
    done = install(str(python), "stable", str(tmp_path / "opt/env"), **environment)
    assert done.returncode == (9 if python_of_next else 0), done.stderr
    assert "was cut off" in done.stderr
    assert [path.name for path in (tmp_path / "opt").iterdir()] == ["env"]
    assert (tmp_path / "opt/env/pyvenv.cfg").read_text() == left


def test_a_directory_of_another_s_beside_a_good_old_environment_is_left_alone(tmp_path: Path) -> None:
    make_installation(tmp_path / "opt/env.old")
    (tmp_path / "opt/env").mkdir()
    (tmp_path / "opt/env/mine").write_text("mine")
    done = install(str(make_python(tmp_path)), "stable", str(tmp_path / "opt/env"))
    assert (done.returncode, "is no installation of the worker" in done.stderr) == (1, True), done.stderr
    assert (tmp_path / "opt/env/mine").read_text() == "mine"
