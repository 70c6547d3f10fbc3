"""The gate on what a job uses: what is above its limit is named, and what is not counted is no reason to fail."""

from pathlib import Path

import pytest

from tests.programs.bench.counts import __main__ as program
from tests.programs.bench.counts import limits
from tests.programs.bench.counts.limits import Compared
from tests.programs.bench.counts.measuring import CPU, FAULTS, FIGURES, FSYNCS, SYSTEM_CALLS, Counted

VALUES = {SYSTEM_CALLS: 800.0, FSYNCS: 3.0, FAULTS: 2500.0, CPU: 3.5}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Counted]:
    """What is counted, one after the other, with the limits of this Python set from `VALUES`."""
    file = tmp_path / "limits.toml"
    limits.write(VALUES, limits.this_python(), file)
    read = limits.read
    monkeypatch.setattr(limits, "read", lambda: read(file))
    results: list[Counted] = []
    monkeypatch.setattr(program, "_count", lambda plan: results.pop(0))
    monkeypatch.setattr("sys.argv", ["counts"])
    return results


def with_values(**changed: float) -> Counted:
    return Counted(VALUES | {name.replace("_", " "): value for name, value in changed.items()}, 30.0, "perf")


def test_limits_are_read_as_they_were_written_and_those_of_another_python_stay(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    limits.write(VALUES, "3.13", file)
    limits.write({FAULTS: 100.0}, "3.9", file)
    read = limits.read(file)
    assert list(read) == ["3.9", "3.13"]
    assert read["3.9"] == {FAULTS: 110.0}
    assert list(read["3.13"]) == list(FIGURES)
    assert all(read["3.13"][name] > VALUES[name] for name in FIGURES)


def test_limits_that_could_not_be_counted_again_stay(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    limits.write(VALUES, "3.11", file)
    limits.write({FAULTS: 100.0}, "3.11", file)
    assert limits.read(file)["3.11"][SYSTEM_CALLS] == pytest.approx(880.0)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_above_its_limit_is_named_with_what_to_do(
    name: str, counted: list[Counted], capsys: pytest.CaptureFixture[str]
) -> None:
    risen = with_values(**{name.replace(" ", "_"): VALUES[name] * 1.5})
    counted += [risen, risen]
    assert program.main() == 1
    said = capsys.readouterr().out
    assert next(line for line in said.splitlines() if line.startswith("NO: ")).startswith(f"NO: {name}")
    assert "--set-limits" in said


def test_what_is_above_once_and_not_twice_was_a_neighbour(counted: list[Counted]) -> None:
    counted += [with_values(page_faults=9999.0), with_values()]
    assert program.main() == 0
    assert counted == []


def test_calls_that_nothing_can_count_are_told_and_do_not_fail_the_gate(
    counted: list[Counted], capsys: pytest.CaptureFixture[str]
) -> None:
    counted.append(Counted({FAULTS: 2500.0, CPU: 3.5}, 30.0, ""))
    assert program.main() == 0
    assert "were not counted" in capsys.readouterr().out


def test_a_gain_that_the_limit_does_not_keep_is_told(
    counted: list[Counted], capsys: pytest.CaptureFixture[str]
) -> None:
    counted.append(with_values(page_faults=1000.0))
    assert program.main() == 0
    assert f"far below the limit: {FAULTS}." in capsys.readouterr().out


def test_a_figure_without_a_limit_is_never_above_it() -> None:
    assert not Compared(FAULTS, 1e9, None).is_above


def test_the_limits_that_are_kept_have_every_figure() -> None:
    kept = limits.read()
    assert "3.11" in kept
    assert all(list(table) == list(FIGURES) for table in kept.values())
