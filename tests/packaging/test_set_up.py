"""The set-up behind `make`: when it works, when it rests, and what it says when it cannot work.

The checkout here is a copy of the real set-up files, and `uv` is a stand-in that notes what it is asked for.
What an environment then holds is shown by every `make test`, which runs inside one.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
# All that the set-up may count on, beside Python.
TOOLS = ("sh", "make", "echo", "sed", "expand", "cat", "mv", "rm", "dirname", "flock")

STAND_IN_FOR_UV = """#!/bin/sh
printf '%s\\n' "$*" >>"$UV_NOTES"
case $1 in
    venv)
        for environment; do :; done
        mkdir -p "$environment/bin" "$environment/lib"
        ln -s "$UV_INTERPRETER" "$environment/bin/python" ;;
    pip)
        if [ -e "$UV_NOTES.fail" ]; then exit 1; fi
        if [ -e "$UV_NOTES.hang" ]; then : >"$UV_NOTES.hanging"; exec sleep 60; fi ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the set-up files, with programs of its own on the PATH and nothing else."""

    root: Path
    programs: Path
    notes: Path

    def start(self, *command: str, variables: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command with nothing but these variables, in a session of its own."""
        own = {"PATH": str(self.programs), "HOME": str(self.root), "PIP_NO_INDEX": "1"}
        stand_in = {"UV_NOTES": str(self.notes), "UV_INTERPRETER": sys.executable}
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=own | stand_in | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self,
        *command: str,
        client: str = "stable",
        python: str = sys.executable,
        variables: dict[str, str] | None = None,
    ) -> tuple[int, str, str]:
        """Run a command in the checkout's environment; return exit code, output and messages."""
        bootstrap = ("sh", "deploy/bootstrap.sh", python, client)
        return finish(self.start(*bootstrap, *command, variables=variables))

    def noted(self) -> list[str]:
        """Return what the stand-in was asked for since the last call."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, messages = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, output, messages


def plant_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without uv."""
    root, programs = tmp_path / "checkout", tmp_path / "programs"
    shutil.copytree(ROOT / "deploy", root / "deploy")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    programs.mkdir()
    for name in (*TOOLS, "mkdir", "ln", "sleep"):  # the last three are the stand-in's
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not installed")
        (programs / name).symlink_to(found)
    return Checkout(root, programs, tmp_path / "notes")


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout on a machine with uv, or what looks like it."""
    plant_program(bare.programs / "uv", STAND_IN_FOR_UV)
    return bare


def altered_python(folder: Path, alteration: str) -> str:
    """Return an interpreter that runs these statements before anything else."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\n{alteration}\n")
    hook, real = shlex.quote(str(folder)), shlex.quote(sys.executable)
    plant_program(folder / "python", f'#!/bin/sh\nexport PYTHONPATH={hook}\nexec {real} "$@"\n')
    return str(folder / "python")


def test_make_alone_lists_every_verb_and_needs_no_python(bare: Checkout) -> None:
    code, output, _ = finish(bare.start("make", "PYTHON=absent"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (verbs,) = [line.split()[1:] for line in makefile.splitlines() if line.startswith(".PHONY:")]
    listed = {line.split()[0] for line in output.splitlines() if line.startswith("  ")}
    assert code == 0
    assert set(verbs) <= listed


def test_an_unknown_client_is_refused_with_the_known_ones(bare: Checkout) -> None:
    code, _, messages = bare.run("true", client="newest")
    assert code == 1
    assert messages == "set-up: CLIENT=newest is unknown. Use CLIENT=stable or CLIENT=next.\n"


def test_a_missing_interpreter_is_named_with_what_to_install(bare: Checkout) -> None:
    code, _, messages = bare.run("true", python="python3.99")
    assert code == 1
    assert messages.startswith("set-up: there is no program python3.99. Install Python 3.11 or newer")
    assert len(messages.splitlines()) == 1


def test_a_python_that_is_too_old_is_named_with_its_version(bare: Checkout, tmp_path: Path) -> None:
    old = altered_python(tmp_path / "old", "sys.version_info = (3, 9, 2, 'final', 0)")
    code, _, messages = bare.run("true", python=old)
    assert code == 1
    assert f"{old} is Python 3.9.2, but 3.11 or newer is needed" in messages
    assert len(messages.splitlines()) == 1


def test_a_python_without_venv_is_told_with_the_debian_package(bare: Checkout, tmp_path: Path) -> None:
    without = altered_python(tmp_path / "without", "sys.modules['ensurepip'] = None")
    code, _, messages = bare.run("true", python=without)
    (told,) = [line for line in messages.splitlines() if "venv module is missing" in line]
    assert code == 1
    assert "Debian package python3-venv" in told
    assert f"python3.{sys.version_info[1]}-venv" in told


def test_uv_needs_no_venv_module(checkout: Checkout, tmp_path: Path) -> None:
    without = altered_python(tmp_path / "without", "sys.modules['ensurepip'] = None")
    assert checkout.run("sh", "-c", "echo ran", python=without)[:2] == (0, "ran\n")


def test_a_second_run_sets_nothing_up_and_says_nothing(checkout: Checkout) -> None:
    assert checkout.run("sh", "-c", "echo first")[:2] == (0, "first\n")
    assert checkout.noted()
    assert checkout.run("sh", "-c", "echo second") == (0, "second\n", "")
    assert checkout.noted() == []


def test_every_package_is_checked_by_hash_and_the_project_asks_no_index(checkout: Checkout) -> None:
    checkout.run("true", client="next")
    installs = [note for note in checkout.noted() if note.startswith("pip install")]
    locked = [note for note in installs if " -r " in note]
    (project,) = [note for note in installs if note not in locked]
    assert all("--require-hashes" in note for note in locked)
    assert [note.split("/")[-1] for note in locked] == ["build.txt", "client-next.txt"]
    assert {"--no-index", "--no-deps", "--no-build-isolation"} <= set(project.split())


def test_each_client_has_an_environment_of_its_own(checkout: Checkout) -> None:
    environments = {
        client: checkout.run("sh", "-c", "echo $VIRTUAL_ENV", client=client)[1]
        for client in ("stable", "next")
    }
    assert environments["stable"].endswith("-stable\n")
    assert environments["next"].endswith("-next\n")


def test_a_failed_set_up_runs_no_command_and_is_made_anew(checkout: Checkout) -> None:
    fault = checkout.notes.with_suffix(".fail")
    fault.touch()
    code, output, messages = checkout.run("sh", "-c", "echo ran")
    assert (code, output) == (1, "")
    assert "not finished" in messages
    fault.unlink()
    checkout.noted()
    assert checkout.run("sh", "-c", "echo ran")[:2] == (0, "ran\n")
    assert checkout.noted()[0].startswith("venv")


def test_a_set_up_that_was_killed_does_not_look_complete(checkout: Checkout) -> None:
    fault, reached = checkout.notes.with_suffix(".hang"), checkout.notes.with_suffix(".hanging")
    fault.touch()
    process = checkout.start("sh", "deploy/bootstrap.sh", sys.executable, "stable", "true")
    limit = time.monotonic() + PATIENCE_SECONDS
    while not reached.exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.01)
    assert reached.exists()
    os.killpg(process.pid, signal.SIGKILL)
    finish(process)
    fault.unlink()
    checkout.noted()
    assert checkout.run("sh", "-c", "echo ran")[:2] == (0, "ran\n")
    assert checkout.noted()[0].startswith("venv")


def test_a_changed_lock_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.run("true")
    checkout.noted()
    with (checkout.root / "deploy/locks/client-stable.txt").open("a") as lock:
        lock.write("\n")
    checkout.run("true")
    assert checkout.noted()[0].startswith("venv")


def test_a_changed_pyproject_installs_the_project_again_and_no_package(checkout: Checkout) -> None:
    checkout.run("true")
    checkout.noted()
    with (checkout.root / "pyproject.toml").open("a") as project:
        project.write("\n")
    checkout.run("true")
    (only,) = checkout.noted()
    assert "--editable" in only


def test_a_checkout_that_was_moved_makes_its_environment_anew(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("true")
    checkout.noted()
    moved = Checkout(checkout.root.rename(tmp_path / "moved"), checkout.programs, checkout.notes)
    moved.run("true")
    assert moved.noted()[0].startswith("venv")


def test_two_verbs_at_once_make_the_environment_once(checkout: Checkout) -> None:
    bootstrap = ("sh", "deploy/bootstrap.sh", sys.executable, "stable")
    processes = [checkout.start(*bootstrap, "sh", "-c", "echo ran") for _ in range(2)]
    assert [finish(process)[:2] for process in processes] == [(0, "ran\n")] * 2
    assert len([note for note in checkout.noted() if note.startswith("venv")]) == 1


def test_what_steers_pip_elsewhere_is_taken_out_of_its_way(checkout: Checkout) -> None:
    show = "echo ${PIP_TARGET-none} ${PYTHONPATH-none} ${PIP_TIMEOUT-none}"
    steering = {"PIP_TARGET": "/elsewhere", "PYTHONPATH": "/elsewhere", "PIP_TIMEOUT": "7"}
    assert checkout.run("sh", "-c", show, variables=steering)[:2] == (0, "none none 7\n")


def test_an_environment_that_is_active_while_it_is_out_of_date_is_made_anew(bare: Checkout) -> None:
    """Its own Python is what makes it, and is removed first."""
    plant_program(bare.programs / "uv", STAND_IN_FOR_UV.replace('ln -s "$UV_INTERPRETER"', 'ln -s "$5"'))
    environment = bare.root / f".venv-{sys.version_info[0]}.{sys.version_info[1]}-stable"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    code, output, messages = bare.run("python", "-c", "print('runs')", python=f"{environment}/bin/python3")
    assert (code, output) == (0, "runs\n"), messages
