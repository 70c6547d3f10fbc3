"""The alerts of deploy/alerts.yml: each fires when it should and not before, and its text says what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from supervisor.log.catalogue import all_events
from supervisor.worker.health.metrics import METRICS
from supervisor.worker.readiness import CAUSES, STOPPING

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts.yml"
TEXT = ALERTS.read_text()
KILLS = 'neops_worker_kills_total{cause="time_limit"}'

FIRING: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "NeopsWorkerGone": ({'up{job="neops-supervisor"}': "0x10"}, {'up{job="neops-supervisor"}': "1x10"}, "3m"),
    "NeopsWorkerLoopBlocked": ({"neops_worker_live": "0x10"}, {"neops_worker_live": "1x10"}, "1m"),
    "NeopsWorkerLoopLate": (
        {
            'neops_worker_loop_lag_seconds_bucket{le="0.5"}': "0+1x30",
            'neops_worker_loop_lag_seconds_bucket{le="1.0"}': "0+60x30",
            'neops_worker_loop_lag_seconds_bucket{le="+Inf"}': "0+60x30",
        },
        {
            'neops_worker_loop_lag_seconds_bucket{le="0.5"}': "0+60x30",
            'neops_worker_loop_lag_seconds_bucket{le="1.0"}': "0+60x30",
            'neops_worker_loop_lag_seconds_bucket{le="+Inf"}': "0+60x30",
        },
        "20m",
    ),
    "NeopsWorkerEngineSilent": (
        {'neops_worker_not_ready{cause="engine_silent"}': "1x10"},
        {
            'neops_worker_not_ready{cause="engine_silent"}': "1 1 0x10",
            'neops_worker_not_ready{cause="paused"}': "1x10",
        },
        "3m",
    ),
    "NeopsWorkerDoesNotComeUp": (
        # It gives up the engine after two minutes, and is started again a minute later, again and again.
        {'neops_worker_not_ready{cause="starting"}': "0 0 0 0 0" + " stale 1 1" * 5},
        {'neops_worker_not_ready{cause="starting"}': "0 0 0 0 0" + " stale 1 0" * 5},
        "13m",
    ),
    "NeopsWorkerHeartbeatLate": (
        {"neops_worker_heartbeat_age_seconds": "61+60x10"},
        {"neops_worker_heartbeat_age_seconds": "20x10"},
        "2m",
    ),
    "NeopsWorkerNoChild": (
        {'neops_worker_not_ready{cause="no_child"}': "1x10"},
        {'neops_worker_not_ready{cause="starting"}': "1x10"},
        "3m",
    ),
    "NeopsWorkerAsksForNoJobs": (
        {'neops_worker_not_ready{cause="no_block"}': "1x10"},
        {
            'neops_worker_not_ready{cause="no_block"}': "1 1 1 0x10",
            'neops_worker_not_ready{cause="draining"}': "1x10",
        },
        "6m",
    ),
    "NeopsWorkerKillsJobs": (
        # All between two looks. A worker has the series at 0 before, as it does not begin with its first kill.
        {KILLS: "0 0 6x18"},
        {'neops_worker_kills_total{cause="worker_stopping"}': "0+9x20"},
        "15m",
    ),
    "NeopsWorkerJournalInTrouble": (
        {"neops_worker_journal_in_trouble": "1x10"},
        {"neops_worker_journal_in_trouble": "0x10"},
        "2m",
    ),
    "NeopsWorkerDeadLetters": (
        {"neops_worker_dead_letters": "2x10"},
        {"neops_worker_dead_letters": "0x10"},
        "6m",
    ),
    "NeopsWorkerResultsWait": (
        {"neops_worker_results_waiting": "51x20"},
        {"neops_worker_results_waiting": "50x20"},
        "11m",
    ),
    "NeopsWorkerForgotten": (
        {'neops_worker_not_ready{cause="drained"}': "1x600"},
        {'neops_worker_not_ready{cause="engine_silent"}': "1x600"},
        "8h1m",
    ),
}
"""For each alert: what it fires for, what it does not fire for, and when that is looked at."""

ALSO_FIRING = [
    ("NeopsWorkerAsksForNoJobs", {'neops_worker_not_ready{cause="results_waiting"}': "1x10"}, "6m"),
    ("NeopsWorkerNoChild", {'neops_worker_not_ready{cause="no_slot"}': "1x10"}, "3m"),
    ("NeopsWorkerForgotten", {'neops_worker_not_ready{cause="paused"}': "1x600"}, "8h1m"),
    ("NeopsWorkerForgotten", {'neops_worker_not_ready{cause="draining"}': "1x600"}, "8h1m"),
    # Between two looks of Prometheus, where `increase` adds something.
    ("NeopsWorkerKillsJobs", {KILLS: "0 0 6x18"}, "15m30s"),
]
"""What else they fire for."""

ALSO_SILENT = [
    ("NeopsWorkerKillsJobs", {KILLS: "0 0 5x18"}, "15m"),
    ("NeopsWorkerKillsJobs", {KILLS: "0 0 5x18"}, "15m30s"),
]
"""What else they do not fire for."""

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing (Debian: promtool, or prometheus before 13)"
)


def test_each_alert_has_a_case_here() -> None:
    assert re.findall(r"- alert: (\w+)", TEXT) == list(FIRING)


def test_alerts_use_metrics_that_there_are() -> None:
    used = set(re.findall(r"\bneops_worker_\w+", TEXT))
    there = {metric.name for metric in METRICS} | {
        f"{metric.name}_bucket" for metric in METRICS if metric.kind == "histogram"
    }
    assert used
    assert used <= there


def test_there_is_an_alert_for_each_cause_of_not_being_ready_but_for_those_that_end_by_themselves() -> None:
    alerted = {
        cause
        for causes in re.findall(r'neops_worker_not_ready\{cause=~?"([a-z_|]+)"', TEXT)
        for cause in causes.split("|")
    }
    assert alerted == CAUSES.keys() - {STOPPING}


def test_events_that_alerts_name_are_events_of_the_log() -> None:
    prose = " ".join(line for line in TEXT.splitlines() if "expr:" not in line)
    named = set(re.findall(r"`(\w+_\w+)`", prose))
    assert named
    assert named <= {event.name for event in all_events()}


@needs_promtool
def test_promtool_finds_nothing_wrong_with_the_alerts() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_each_alert_fires_for_what_it_is_about_and_for_nothing_else(tmp_path: Path) -> None:
    def case(alert: str, series: dict[str, str], at: str, *, fires: bool) -> dict[str, Any]:
        expected = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else []
        query = f'max by (alertname) (ALERTS{{alertname="{alert}",alertstate="firing"}})'
        return {
            "name": f"{alert}: {'fires' if fires else 'is silent'}",
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [{"expr": query, "eval_time": at, "exp_samples": expected}],
        }

    cases = [
        case(alert, series, at, fires=fires)
        for alert, (firing, silent, at) in FIRING.items()
        for series, fires in ((firing, True), (silent, False))
    ]
    cases += [case(alert, series, at, fires=True) for alert, series, at in ALSO_FIRING]
    cases += [case(alert, series, at, fires=False) for alert, series, at in ALSO_SILENT]
    file = tmp_path / "cases.yml"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "30s", "tests": cases}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
