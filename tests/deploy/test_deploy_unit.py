"""`supervisor deploy unit`: each form of the unit, for the installation that was asked, and how closed it is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy_support import DEPLOY, JOB_USERS, UNIT, settings_of

from supervisor.commands.deploy import command
from supervisor.commands.deploy.unit import INSTANCE, LOCAL, PLAIN, SHIPPED_PROGRAM, Form, shipped, unit_text
from supervisor.process.user_numbers import parse_users
from tests.patience import PATIENCE_SECONDS

FORMS = [PLAIN, INSTANCE, LOCAL]
EXPOSURE, EXPOSURE_WITH_JOB_USERS = 1.5, 2.9
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command.run([*arguments]) == 0
    return capsys.readouterr().out


def test_what_is_shipped_with_the_package_and_what_lies_in_deploy_is_one_file() -> None:
    for file in (UNIT, JOB_USERS):
        assert file.is_symlink()
        assert file.resolve().is_relative_to(Path(command.__file__).parent)
        assert shipped(file.name) == file.read_text(encoding="utf-8")


def test_the_unit_that_is_printed_starts_this_installation_and_is_otherwise_the_shipped_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unit = printed(capsys, "unit")
    program = Path(sys.executable).absolute().with_name("supervisor")
    assert unit == UNIT.read_text(encoding="utf-8").replace(SHIPPED_PROGRAM, str(program))
    assert settings_of(unit)["ExecStart"].split()[0] == str(program)


def test_the_drop_in_for_job_users_is_the_shipped_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "unit", "--job-users") == (DEPLOY / JOB_USERS.name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("/opt/a b/supervisor", '"/opt/a b/supervisor"'),
        ("/opt/100%/supervisor", "/opt/100%%/supervisor"),
        ("/opt/$HOME/supervisor", '"/opt/$$HOME/supervisor"'),
        ('/opt/"a"/supervisor', '"/opt/\\"a\\"/supervisor"'),
    ],
)
def test_a_path_with_characters_that_mean_something_to_systemd_is_written_so_that_it_means_itself(
    program: str, word: str
) -> None:
    assert f"\nExecStart={word}\n" in unit_text(PLAIN, Path(program))


def test_two_workers_of_one_machine_share_no_directory_no_settings_of_their_own_and_no_name() -> None:
    plain, instance, local = (settings_of(unit_text(form, Path("/x"))) for form in FORMS)
    for name in ("StateDirectory", "RuntimeDirectory"):
        assert (plain[name], instance[name]) == ("neops-supervisor", "neops-supervisor-%i")
        assert local[name] == "neops-local"
    files = re.findall("^EnvironmentFile=(.*)$", unit_text(INSTANCE, Path("/x")), re.MULTILINE)
    assert files == ["-/etc/neops-supervisor.env", "-/etc/neops-supervisor-%i.env"]
    assert instance["Environment"] == "NEOPS_WORKER_NAME=%H-%i"


def test_the_drop_in_for_job_users_shows_how_two_workers_get_numbers_of_their_own() -> None:
    text = shipped(JOB_USERS.name)
    own = dict(
        re.findall(r"^# +(/etc/neops-supervisor-\w+\.env): +NEOPS_JOB_USERS=(\S+)$", text, re.MULTILINE)
    )
    one, two = (set(parse_users(users)) for users in own.values())
    assert not one & two
    files = re.findall("^EnvironmentFile=-(.*)$", unit_text(INSTANCE, Path("/x")), re.MULTILINE)
    assert {re.sub(r"(?<=-)[A-Z]+(?=\.env$)", "%i", name) for name in own} == {files[-1]}


def test_whoever_asks_for_two_forms_or_for_nothing_is_told_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.run(["unit", "--local", "--instance"]) == 2
    assert command.run([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "one at a time" in said.err
    assert "There is `unit`." in said.err


def test_a_program_that_the_unit_hides_is_told_of_and_so_is_one_that_is_not_there() -> None:
    assert "The unit hides /var/tmp/venv/supervisor" in str(
        command.why_unreachable(Path("/var/tmp/venv/supervisor"))
    )
    assert "There is no /opt/none/supervisor" in str(command.why_unreachable(Path("/opt/none/supervisor")))
    assert command.why_unreachable(Path(sys.executable)) is None or "hides" in str(
        command.why_unreachable(Path(sys.executable))
    )


def test_a_python_in_a_home_directory_is_told_of_wherever_the_program_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = Path("/opt/neops-supervisor/bin/supervisor")
    python = Path("/run/user/1000/python/bin/python3.11")
    told = command.why_unreachable(program, [Path("/usr/bin/python3"), python])
    assert told is not None
    assert f"hides {python}, the Python of {program}" in told
    assert "/usr/bin/python3" in told
    # An environment's interpreter is a link: where it leads to counts.
    (tmp_path / "python3").symlink_to(python)
    monkeypatch.setattr(command, "this_program", lambda: program)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert command.run(["unit"]) == 0
    assert f"hides {python}" in capsys.readouterr().err


def analyzed(folder: Path, name: str, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        ["systemd-analyze", *words, str(file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@needs_systemd
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.file)
def test_systemd_finds_nothing_to_complain_about(form: Form, tmp_path: Path) -> None:
    # The program of the unit is not installed on this machine, which systemd would rightly complain about.
    program = shutil.which("true")
    assert program is not None
    name = form.file.replace("@", "@one")
    done = analyzed(tmp_path, name, unit_text(form, Path(program)), "verify", "--man=no")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def exposure(folder: Path, name: str, text: str) -> float:
    done = analyzed(folder, name, text, "security", "--offline=true", "--no-pager")
    (figure,) = re.findall(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    return float(figure)


@needs_systemd
def test_each_unit_is_as_closed_as_is_promised(tmp_path: Path) -> None:
    for form in FORMS:
        text = unit_text(form, Path("/usr/bin/true"))
        assert exposure(tmp_path, form.file, text) <= EXPOSURE
        # systemd reads a drop-in after the unit.
        assert exposure(tmp_path, "x" + form.file, text + shipped(JOB_USERS.name)) <= EXPOSURE_WITH_JOB_USERS
