"""The comparison with others: every worker has a row, and one that can't be had here has the reason in it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs.bench.competitors.__main__ import _missing
from tests.programs.bench.competitors.behaviour import ACTS
from tests.programs.bench.competitors.report import as_text, behaviour_rows, speed_rows
from tests.programs.bench.competitors.speed import Speed
from tests.programs.bench.competitors.workers import competitors
from tests.programs.compat import environments
from tests.programs.compat.processes import CompatError


def test_a_worker_that_can_not_be_had_has_the_reason_in_its_row(tmp_path: Path) -> None:
    workers = competitors(tmp_path, "it needs Python 3.12")
    rows = speed_rows(workers, {worker.key: Speed() for worker in workers})
    assert [row[1] for row in rows[1:]] == ["not measured"] * 3 + ["it needs Python 3.12"] * 2
    assert len({len(row) for row in rows}) == 1


def test_where_the_other_sdk_can_not_be_installed_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(environment: Path) -> None:
        raise CompatError("`pip install` failed:\nno route to host")

    monkeypatch.setattr(environments, "make", no_network)
    assert _missing(tmp_path / "nothing") == "`pip install` failed:"


def test_what_a_worker_has_used_is_shared_among_its_jobs() -> None:
    speed = Speed(latencies=[0.01, 0.02, 0.03], jobs=20, burst_seconds=2.0, cpu_seconds=0.5)
    (worker, *_) = competitors(Path("nowhere"), "")
    (_, row) = speed_rows([worker], {worker.key: speed})
    assert row == (worker.name, "20.0", "30.0", "10.0", "25.0", "-")


def test_only_workers_that_were_tried_have_a_column() -> None:
    workers = competitors(Path("nowhere"), "")
    rows = behaviour_rows(workers, {"pool": dict.fromkeys(ACTS, "told")})
    assert rows[0] == ("", workers[2].name)
    assert [row[1] for row in rows[1:]] == ["told"] * len(ACTS)
    assert workers[2].name in as_text(rows)
    assert behaviour_rows(workers, {})[0] == ("",)


def test_this_worker_and_a_naive_one_run_the_same_jobs(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.programs.bench.competitors", "ours", "spawn"]
    command += ["--quick", "--rounds", "1", "--only-speed", "--json", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr
    rows = json.loads(file.read_text())["speed"][1:]
    assert [float(row[3]) > 0 for row in rows] == [True, True]
