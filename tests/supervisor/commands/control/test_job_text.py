"""What `supervisor job` and `supervisor jobs` print for a person."""

from typing import Any

from supervisor.commands.control.job_text import details_text, memory_text

FAILED: dict[str, Any] = {
    "job_id": "0b5d1f4e",
    "step": "step upgrade",
    "cause": "error",
    "message": 'Failed:\nTraceback:\n  File "a.py"\x1b[2J\n',
    "seconds": 50.04,
    "limit_seconds": 60.0,
    "peak_memory_mb": 12.4,
    "warning": None,
    "state": "ended",
    "result_bytes": 17,
    "result": {"ok": True},
}


def test_each_fact_has_one_label_and_one_unit_and_a_message_keeps_its_lines_below_its_label() -> None:
    assert details_text(FAILED).splitlines() == [
        "job             0b5d1f4e",
        "step            upgrade",
        "cause           error",
        "message",
        "  Failed:",
        "  Traceback:",
        '    File "a.py"\\x1b[2J',
        "took            50.0 s",
        "time limit      1 min 0 s",
        "most memory     12 MB",
        "state           ended",
        "size of result  17 bytes",
        'result          {"ok": true}',
    ]


def test_a_job_that_runs_has_run_for_a_time_and_its_limits_are_one_line() -> None:
    limits = {"seconds": 60.0, "memory_bytes": 2**30, "cpu_seconds": None, "stall_seconds": 5.0}
    assert details_text({"state": "running", "seconds": 1.0, "limits": limits}).splitlines() == [
        "state   running",
        "for     1.0 s",
        "limits  time 1 min 0 s, memory 1024 MB, without progress 5.0 s",
    ]


def test_a_small_size_is_not_zero() -> None:
    assert [memory_text(each) for each in (None, 0, 1, 900, 2048, 3 * 2**20)] == [
        *("", "0 bytes", "1 byte", "900 bytes", "2 kB", "3 MB")
    ]
