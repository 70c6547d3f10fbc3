"""What the command refuses, each with one sentence, before it touches anything."""

import sys
from pathlib import Path

import pytest

from tests.programs.mutants import __main__ as command
from tests.programs.mutants.campaign import alone_in

ONE_FILE = ("--only", "supervisor/engine/backoff.py", "--tests", "tests/programs/mutants")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "WORK", tmp_path)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mutants", *arguments])
    return command.main()


@pytest.mark.parametrize("pattern", ["folder", "README.md", "", "/etc/*.py", "../other/*.py"])
def test_a_pattern_that_names_no_python_file_of_the_checkout_is_told(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pattern: str
) -> None:
    for name in ("mine/folder/module.py", "mine/README.md", "other/module.py"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("a = 1 + 1")
    monkeypatch.setattr(command, "ROOT", work / "mine")
    assert run(monkeypatch, "--only", pattern, "--list") == 2
    assert "of this checkout" in capsys.readouterr().err


def test_tests_outside_of_the_checkout_are_told(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "test_x.py").write_text("")
    assert run(monkeypatch, *ONE_FILE[:2], "--tests", str(work)) == 2
    assert "test_x.py is no file of this checkout" in capsys.readouterr().err


@pytest.mark.usefixtures("work")
def test_no_lane_is_refused_as_it_would_kill_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, *ONE_FILE, "--lanes", "0")
    assert "must be 1 or more" in capsys.readouterr().err


def test_a_second_run_in_the_same_copies_is_refused_and_forgets_nothing(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "trials.jsonl").write_text("")
    with alone_in(work):
        assert run(monkeypatch, *ONE_FILE, "--fresh") == 2
    assert "Another `make mutants` works in" in capsys.readouterr().err
    assert (work / "trials.jsonl").exists()
