"""The tell-tale of bombs: a jump of the machine's number of tasks, large enough for the smallest limit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.watch.task_count_probe import TaskCountProbe


@pytest.fixture
def tasks(tmp_path: Path) -> Callable[[int], None]:
    """Says how many tasks the machine has, as /proc/loadavg does. Its other numbers change, too."""

    def are(count: int) -> None:
        (tmp_path / "loadavg").write_text(
            f"9{count}.20 8{count}.18 7{count}.12 {count % 7}/{count} 6{count}\n"
        )

    are(1000)
    return are


@pytest.fixture
def probe(tmp_path: Path, tasks: Callable[[int], None]) -> TaskCountProbe:
    return TaskCountProbe(str(tmp_path / "loadavg"))


@pytest.mark.parametrize(("most", "jump"), [(0, 33), (100, 33), (128, 33), (132, 34), (400, 101)])
def test_a_jump_is_more_than_a_quarter_of_the_smallest_limit_and_more_than_32(
    probe: TaskCountProbe, tasks: Callable[[int], None], most: int, jump: int
) -> None:
    tasks(1000 + jump - 1)
    assert not probe.has_jumped(most)
    tasks(1000 + jump)
    assert probe.has_jumped(most)


def test_after_a_jump_the_next_is_counted_from_there(
    probe: TaskCountProbe, tasks: Callable[[int], None]
) -> None:
    tasks(1100)
    assert probe.has_jumped(0)
    tasks(1132)
    assert not probe.has_jumped(0)
    tasks(1133)
    assert probe.has_jumped(0)


def test_slow_growth_is_no_jump_but_adds_up_to_one(
    probe: TaskCountProbe, tasks: Callable[[int], None]
) -> None:
    tasks(1020)
    assert not probe.has_jumped(0)
    tasks(1033)
    assert probe.has_jumped(0)


def test_what_has_ended_hides_nothing_that_comes_next(
    probe: TaskCountProbe, tasks: Callable[[int], None]
) -> None:
    tasks(900)
    assert not probe.has_jumped(0)
    tasks(933)
    assert probe.has_jumped(0)


@pytest.mark.parametrize(
    "content", [None, "", "0.20 0.18 0.12", "0.20 0.18 0.12 1 7", "0.20 0.18 0.12 1/x 7"]
)
def test_where_the_kernel_does_not_tell_nothing_jumps(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "loadavg").write_text(content)
    assert not TaskCountProbe(str(tmp_path / "loadavg")).has_jumped(0)


def test_it_is_the_kernel_s_number_of_tasks() -> None:
    threads_of_this_machine = sum(1 for _ in Path("/proc").glob("[0-9]*/task/[0-9]*"))
    probe = TaskCountProbe()
    assert 0 < probe._last < 100 * threads_of_this_machine
