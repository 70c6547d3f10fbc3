"""What `top` shows of an answer: on any width, in one line for each job, and harmless whatever a job calls itself."""

import io
import unicodedata
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from supervisor.commands.top.columns import columns_for
from supervisor.commands.top.picture import picture_of, picture_without_worker, plain_lines
from supervisor.commands.top.rates import CpuShares
from supervisor.commands.top.snapshot import Snapshot, one_line, snapshot_of

EVIL = "\x1b[31mred\x1b]0;title\x07\u202egnp.exe\u2066\r\x9b2J\nsecond\tz" + "\u0335" * 40
ID = "0191e5a0-7cf1-7d5e-9d7c-1f5b8a2f3c4d"


def job(**changes: Any) -> dict[str, Any]:
    facts = {
        "job_id": ID, "block": "acme/backup:1.0.0", "state": "running", "slot": 1, "pid": 4242,
        "claimed_at": 1.0, "started_at": 2.0, "seconds": 12.4, "memory_bytes": 300 * 2**20, "cpu_seconds": 2.5,
        "processes": 3, "stalled_seconds": None, "last_line": "asked 12 of 40 devices",
        "limits": {"seconds": 600.0, "memory_bytes": 512 * 2**20},
    }  # fmt: skip
    return facts | changes


def answer(*jobs: dict[str, Any], **changes: Any) -> Snapshot:
    worker = {
        "worker": "w-uuid", "name": "edge-1", "ready": True, "why_not": [], "slots": 4, "spares": 2,
        "waiting": 1, "results_waiting": 0, "engine": "http://engine:3030 answers",
    }  # fmt: skip
    return snapshot_of({"worker": worker | changes, "jobs": list(jobs)})


def unknown_share(_: str) -> float | None:
    return None


def drawn(snapshot: Snapshot, width: int, height: int = 20) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(picture_of(snapshot, unknown_share, "14:02:11", width, height))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in text
    return text.splitlines()


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 132, 200])
def test_on_each_width_a_job_is_one_line_that_fits(width: int) -> None:
    lines = drawn(answer(job(), job(last_line="x" * 400), job(stalled_seconds=33.0)), width)
    assert all(cell_len(line) <= width for line in lines), lines
    assert len(lines) == 2 + 1 + 1 + 3
    assert sum("0191e5" in line for line in lines) == 3


def test_what_matters_least_goes_first_and_what_is_left_is_whole() -> None:
    def titles(width: int | None) -> list[str]:
        return [
            each.title for each in columns_for(answer(job(stalled_seconds=3.0)).jobs, unknown_share, width)
        ]

    every = titles(None)
    assert every == [
        "slot", "job", "block", "state", "time", "memory", "CPU", "stall", "tasks", "pid", "last line",
    ]  # fmt: skip
    assert titles(200) == every
    assert titles(110) == every
    assert [title for title in every if title not in titles(90)] == ["tasks", "pid"]
    assert [title for title in every if title not in titles(80)] == ["slot", "state", "tasks", "pid"]
    assert titles(60) == ["job", "block", "time", "memory", "CPU", "stall"]
    assert titles(34) == ["job", "block", "time", "stall"]
    assert titles(20) == ["job", "block", "time"]


def test_ids_that_are_cut_are_told_apart_where_they_begin_alike() -> None:
    jobs = answer(job(), job(job_id=ID[:-1] + "9")).jobs
    assert [cell.text for cell in columns_for(jobs, unknown_share, 80)[0].cells] == ["…a2f3c4d", "…a2f3c49"]
    (column, *_) = columns_for(jobs[:1], unknown_share, 80)
    assert column.cells[0].text == ID[:8]


def test_more_jobs_than_lines_are_counted() -> None:
    lines = drawn(answer(*(job(job_id=f"job-{n}") for n in range(50))), 100, height=10)
    assert len(lines) <= 10
    assert lines[-1] == "… and 45 more jobs"


def test_nothing_that_a_job_says_reaches_the_terminal_as_anything_but_visible_characters() -> None:
    snapshot = answer(
        job(job_id=EVIL, block=EVIL, state=EVIL, last_line=EVIL), name=EVIL, engine=EVIL,
        why_not=[{"cause": "x", "message": EVIL}], warnings=[{"cause": "x", "message": EVIL}],
    )  # fmt: skip
    shown = [*drawn(snapshot, 200), *plain_lines(snapshot, unknown_share, "14:02:11", None)]
    assert len(drawn(snapshot, 200)) == 7
    for line in shown:
        hidden = [char for char in line if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")]
        assert not hidden, line
        assert "\u0335" * 3 not in line
    assert "\\x1b[31mred" in shown[0]


def test_rich_takes_no_markup_from_a_job() -> None:
    assert any("[red]x[/red]" in line for line in drawn(answer(job(last_line="[red]x[/red]")), 200))


@pytest.mark.parametrize("wrong", [None, 7, [], {}, {"limits": 3, "seconds": "x", "slot": True, "pid": "1"}])
def test_an_answer_that_lacks_something_is_shown_without_it(wrong: Any) -> None:
    snapshot = snapshot_of({"worker": wrong, "jobs": [wrong, job()]})
    assert snapshot.jobs[-1].job_id == ID
    drawn(snapshot, 80)
    assert snapshot_of({"jobs": wrong}).jobs == ()


def test_near_a_limit_and_in_a_stall_a_cell_is_marked() -> None:
    alarmed = job(seconds=590.0, memory_bytes=500 * 2**20, stalled_seconds=12.0)
    for jobs, expected in (([job()], []), ([alarmed], ["time", "memory", "stall"])):
        columns = columns_for(answer(*jobs).jobs, unknown_share, None)
        assert [each.title for each in columns if each.cells[0].is_alarming] == expected


def test_a_worker_that_takes_no_jobs_says_why_above_them() -> None:
    reasons = [{"cause": "paused", "message": "paused by root: switch upgrade"}]
    lines = drawn(answer(job(), ready=False, why_not=reasons), 100)
    assert "edge-1: not ready" in lines[0]
    assert lines[2] == "not ready: paused by root: switch upgrade"


def test_what_is_wrong_with_a_worker_that_takes_jobs_is_said_above_them() -> None:
    problems = [{"cause": "journal", "message": "the journal's disk does not take it"}]
    lines = drawn(answer(job(), warnings=problems), 100)
    assert "edge-1: ready" in lines[0]
    assert lines[2] == "warning: the journal's disk does not take it"


def test_a_worker_that_has_gone_is_said_to_be_gone() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(picture_without_worker("No worker listens in /run/x.", "14:02:11"))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "No worker answers, since 14:02:11." in text
    assert "No worker listens in /run/x." in text


def test_plain_text_is_uncut_where_no_width_is_known() -> None:
    lines = plain_lines(answer(job(last_line="y" * 300)), unknown_share, "14:02:11", None)
    assert lines[-1].endswith("y" * 300)
    assert all(len(line) <= 50 for line in plain_lines(answer(job()), unknown_share, "14:02:11", 50)[2:])
    assert plain_lines(answer(), unknown_share, "14:02:11", None)[-1] == "No job runs or waits."


def test_the_share_of_a_processor_is_that_of_the_last_seconds() -> None:
    shares = CpuShares()
    assert shares.share_of(ID) is None
    for second in range(10):  # idle, then two processors
        shares.add(float(second), answer(job(cpu_seconds=2.0 * max(0, second - 5))))
    assert shares.share_of(ID) == pytest.approx(2.0)
    shares.add(10.0, answer())
    assert shares.share_of(ID) is None, "a job that has gone is forgotten"


def test_a_line_of_several_lines_is_one_that_shows_where_they_end() -> None:
    assert one_line("a\nb\tc\x1bd\n") == "a\\nb\\tc\\x1bd"


def test_a_line_is_cut_before_it_is_looked_through() -> None:
    assert len(one_line("z" * 10**6)) == 500
