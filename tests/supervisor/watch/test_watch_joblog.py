"""A job's lines: how many pass, what is counted, when it is said, and that all of it is masked."""

import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from jobrunner.protocol.caps import FIELD_CAP_CHARS, LOGGER_CAP_CHARS
from jobrunner.protocol.masking import AT_ONCE_UNITS, Effort
from jobrunner.protocol.messages import Log
from supervisor.log.events.jobs import JobLinesDropped, LoopStalled
from supervisor.log.format import JOB_LOG
from supervisor.watch import joblog as joblog_module
from supervisor.watch.joblog import BURST_LINES, LINES_A_SECOND, JobLog
from tests.log_events import facts_of, names, told


class Star:
    """Masks every s, and notes whether the text was cut."""

    def __init__(self) -> None:
        self.cut: list[bool] = []
        self.cut_before: list[bool] = []
        self.longest = 0

    def __call__(
        self, text: str, *, cut_before: bool = False, cut_after: bool = False, effort: Effort | None = None
    ) -> str:
        self.cut.append(cut_after)
        self.cut_before.append(cut_before)
        self.longest = max(self.longest, len(text))
        return text.replace("s", "*")

    def field(
        self, name: str, value: object, *, cut_after: bool = False, effort: Effort | None = None
    ) -> object:
        self.cut.append(cut_after)
        return value.replace("s", "*") if isinstance(value, str) else value


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The log's clock: `now` is the test's."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(joblog_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def texts(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the job itself said."""
    caplog.set_level(logging.DEBUG)
    return lambda: [record.getMessage() for record in caplog.records if record.name == "job"]


@pytest.fixture
def dropped(caplog: pytest.LogCaptureFixture) -> Callable[[], list[int]]:
    """How many lines were dropped, for each time that it was said."""

    def counts() -> list[int]:
        events = told(caplog, JobLinesDropped)
        assert all(event["lines_a_second"] == LINES_A_SECOND for event in events)
        return [event["lines"] for event in events]

    return counts


@pytest.fixture
def log(clock: SimpleNamespace) -> JobLog:
    return JobLog("job-1", "lab/block:1.0.0", Star(), "step 3")


def test_a_burst_passes_and_what_comes_on_top_is_counted_and_said_once(
    log: JobLog,
    clock: SimpleNamespace,
    texts: Callable[[], list[str]],
    dropped: Callable[[], list[int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(BURST_LINES + 7):
        log.printed("stdout", "line")
    assert texts() == ["line"] * BURST_LINES
    assert not log.is_open
    log.close()
    log.close()
    assert len(texts()) == BURST_LINES
    assert (names(caplog.records[BURST_LINES:]), dropped()) == ([JobLinesDropped.name], [7])


def test_200_lines_pass_in_each_second_after_that_and_never_more_than_the_burst(
    log: JobLog, clock: SimpleNamespace, texts: Callable[[], list[str]]
) -> None:
    for _ in range(BURST_LINES):
        log.printed("stdout", "line")
    clock.now += 1
    for _ in range(LINES_A_SECOND + 50):
        log.printed("stdout", "later")
    assert texts().count("later") == 200
    clock.now += 1e6
    for _ in range(BURST_LINES + 50):
        log.printed("stdout", "much later")
    assert texts().count("much later") == 2000


def test_what_is_dropped_in_a_flood_is_said_once_a_second(
    log: JobLog, clock: SimpleNamespace, texts: Callable[[], list[str]], dropped: Callable[[], list[int]]
) -> None:
    for _ in range(BURST_LINES):
        log.printed("stdout", "line")
    for _ in range(20):  # two seconds, ten portions each
        clock.now += 0.1
        for _ in range(30):
            log.printed("stdout", "flood")
    assert len(dropped()) == 2
    # The first is said with the first line that passes after anything was dropped.
    assert sum(dropped()) <= 20 * 10
    log.close()
    assert sum(dropped()) == 20 * 30 - texts().count("flood")


def test_a_long_line_counts_as_several(
    log: JobLog, clock: SimpleNamespace, texts: Callable[[], list[str]]
) -> None:
    for _ in range(BURST_LINES):
        log.printed("stdout", "x" * 2048)
    assert len(texts()) == BURST_LINES / 2


async def test_the_fields_of_a_record_count_like_its_text(
    log: JobLog, clock: SimpleNamespace, texts: Callable[[], list[str]]
) -> None:
    """A job that sends its own frames could otherwise fill the disk with them, fifty times faster than with texts."""
    fields = {"a": "x" * 999, "b": "x" * 999, "c": 1234}
    for _ in range(BURST_LINES):
        await log.record(Log(level=20, logger="acme", text="x" * 43, created=0.0, fields=fields))
    assert len(texts()) == BURST_LINES / 2


def test_lines_that_were_not_looked_at_are_counted_too(log: JobLog, dropped: Callable[[], list[int]]) -> None:
    log.skip(3)
    log.skip(4)
    log.close()
    assert dropped() == [7]


async def test_all_lines_are_masked_and_say_whose_they_are(
    log: JobLog, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture, texts: Callable[[], list[str]]
) -> None:
    log.printed("stderr", "sos")
    log.tell(LoopStalled, seconds=1.5, stack="this stalls")
    fields = {"ssid": "secret", "count": 3, "long": "s" * FIELD_CAP_CHARS}
    await log.record(Log(level=35, logger="lab.block", text="sent", created=0.0, cut_chars=5, fields=fields))
    assert texts() == ["*o*", "*ent … [5 more characters cut]"]
    assert names(caplog.records) == ["job_output", "loop_stalled", JOB_LOG]
    printed, stalled, logged = caplog.records
    whose = {"job": "job-1", "block": "lab/block:1.0.0", "step": "step 3"}
    assert (printed.levelno, facts_of(printed)) == (logging.INFO, {**whose, "stream": "stderr"})
    assert (stalled.levelno, stalled.name) == (logging.WARNING, joblog_module.__name__)
    assert facts_of(stalled) == {**whose, "seconds": 1.5, "stack": "thi* *tall*"}
    assert stalled.getMessage().endswith("\nthi* *tall*")
    assert (logged.levelno, facts_of(logged), logged.origin) == (35, whose, "lab.block")
    assert (logged.pathname, logged.lineno) == ("", 0)  # of the worker's own source, it has no line
    assert logged.fields == {"**id": "*ecret", "count": 3, "long": "*" * FIELD_CAP_CHARS + " …"}


async def test_the_mask_is_told_what_was_cut(log: JobLog, clock: SimpleNamespace) -> None:
    mask = log.mask
    assert isinstance(mask, Star)
    await log.record(Log(level=20, logger="x", text="whole", created=0.0))
    await log.record(Log(level=20, logger="x", text="cut", created=0.0, cut_chars=1))
    # Of each the text, then the name of its logger.
    assert mask.cut == [False, False, True, False]
    mask.cut.clear()
    await log.record(Log(level=20, logger="x" * LOGGER_CAP_CHARS, text="whole", created=0.0))
    assert mask.cut == [False, True]
    mask.cut.clear()
    at_the_cap, below = "s" * FIELD_CAP_CHARS, "s" * (FIELD_CAP_CHARS - 1)
    await log.record(Log(level=20, logger="x", text="t", created=0.0, fields={"a": at_the_cap, "b": below}))
    assert sorted(mask.cut) == [False] * 5 + [True]


def test_a_worker_s_own_lines_count_against_no_rate(
    log: JobLog, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(BURST_LINES + 1):
        log.printed("stdout", "line")
    log.tell(LoopStalled, seconds=1.5, stack="told")
    (stalled,) = told(caplog, LoopStalled)
    assert stalled["stack"] == "told"


@pytest.mark.parametrize(("length", "cut_before"), [(8192, False), (8193, True)])
async def test_the_last_output_is_masked_with_as_much_again_before_it_and_the_mask_is_told_where_it_was_cut(
    log: JobLog, length: int, cut_before: bool
) -> None:
    """Half of a secret, at either edge, would otherwise not be recognized."""
    mask = log.mask
    assert isinstance(mask, Star)
    seen = await log.end_of("s" * (length - 1) + "\n")
    assert (mask.cut_before, mask.cut) == ([cut_before], [False])
    assert seen == "*" * 4095 + "\n"
    assert mask.longest == 8192  # no more than that: it holds the loop
    await log.end_of("an unfinished line")
    assert mask.cut == [False, True]


def test_what_is_dropped_later_is_told_a_second_after_the_last_time_and_not_before(
    log: JobLog, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    def dropped() -> list[int]:
        return [facts["lines"] for facts in told(caplog, JobLinesDropped)]

    log.skip(5)
    log.printed("stdout", "passes")
    log.skip(6)
    clock.now += 0.99
    log.printed("stdout", "passes")
    assert dropped() == [5]
    clock.now = 1001.0
    log.printed("stdout", "passes")
    assert dropped() == [5, 6]


async def test_whoever_hears_a_jobs_lines_gets_what_the_log_gets_masked_and_nothing_that_is_dropped(
    texts: Callable[[], list[str]],
) -> None:
    heard: list[tuple[int, str, str, dict[str, object]]] = []
    star = Star()
    log = JobLog(
        "1",
        "b",
        star,
        on_line=lambda level, event, message, facts: heard.append((level, event, message, dict(facts))),
    )
    await log.record(Log(level=30, logger="acme", text="uses", created=0.0, fields={"site": "us"}))
    log.printed("stdout", "yes")
    log.tell(LoopStalled, seconds=2.0, stack="wars")
    assert heard[0] == (30, JOB_LOG, "u*e*", {"logger": "acme", "fields": {"*ite": "u*"}})
    assert heard[1] == (logging.INFO, "job_output", "ye*", {"stream": "stdout"})
    assert heard[2][1] == "loop_stalled"
    assert heard[2][3] == {"seconds": 2.0, "stack": "war*"}
    for _ in range(2 * BURST_LINES):
        log.printed("stdout", "x")
    printed = [message for _, event, message, _ in heard if event == "job_output"]
    assert printed == texts()[1:]
    assert len(printed) < 2 * BURST_LINES


class Laborious(Star):
    """A mask to which each text is as much work as ten lines."""

    def __call__(
        self, text: str, *, cut_before: bool = False, cut_after: bool = False, effort: Effort | None = None
    ) -> str:
        assert effort is not None
        effort.spend(50_000)
        return super().__call__(text, cut_before=cut_before, cut_after=cut_after)


def test_a_line_that_has_lost_its_end_is_masked_as_cut_and_that_counts_with_it(
    clock: SimpleNamespace, texts: Callable[[], list[str]]
) -> None:
    """A job that prints nothing but such lines would have the worker's loop for itself."""
    mask = Laborious()
    log = JobLog("job-1", "lab/block:1.0.0", mask)
    while log.is_open:
        log.printed("stdout", log.mask_cut("sos"))
    assert texts() == ["*o*"] * (BURST_LINES // 20)
    assert mask.cut == [True, False] * (BURST_LINES // 20)


def test_a_line_that_has_lost_its_end_and_takes_too_long_to_mask_is_not_shown(log: JobLog) -> None:
    def mask(text: str, *, cut_after: bool, effort: Effort) -> str:
        effort.spend(AT_ONCE_UNITS + 1)
        raise AssertionError("that was too much")

    log.mask = mask  # type: ignore[assignment]  # what else a mask does is not asked for
    assert log.mask_cut("x" * 9000).startswith("[9000 characters not shown")
