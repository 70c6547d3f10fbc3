"""How the tests are spread over parallel workers: the lists are true, and the order is the one that was asked for."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.parallel import APART, LONG, TOGETHER, by_length, scheduler

ROOT = Path(__file__).parents[2]
WITH_SHARED_FIXTURES = ('scope="module"', 'scope="class"', 'scope="package"')


class ParallelWorker:
    """As the scheduler sees one: it notes the tests that it is given."""

    shutting_down = False

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="one")
        self.given: list[int] = []

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.given += indexes

    def shutdown(self) -> None:
        self.shutting_down = True


def test_every_file_that_begins_first_is_there_and_listed_once() -> None:
    assert [file for file in (*APART, *LONG) if not (ROOT / file).is_file()] == []
    assert [folder for folder in TOGETHER if not any((ROOT / folder).glob("test_*.py"))] == []
    assert len({*APART, *LONG}) == len(APART) + len(LONG)


def test_the_tests_of_files_that_are_handed_out_test_by_test_share_nothing() -> None:
    assert [
        file for file in APART if any(scope in (ROOT / file).read_text() for scope in WITH_SHARED_FIXTURES)
    ] == []


def test_what_is_long_begins_first_what_is_pure_last_and_files_stay_together() -> None:
    files = [
        "tests/bombs/test_a.py",
        "tests/supervisor/verdict/test_b.py",
        "blocks/examples/c.py",
        LONG[1],
        APART[0],
        LONG[0],
    ]
    items: list[Any] = [SimpleNamespace(path=ROOT / file, name=name) for file in files for name in "xy"]
    by_length(items)
    assert [(item.path.relative_to(ROOT).as_posix(), item.name) for item in items] == [
        (files[number], name) for number in (4, 5, 3, 0, 2, 1) for name in "xy"
    ]


def handed_out(tests: list[str]) -> list[list[int]]:
    """The tests that each of two parallel workers is given at first."""
    config: Any = SimpleNamespace(
        option=SimpleNamespace(loadscopereorder=True), getvalue=lambda _: ["popen", "popen"]
    )
    handing_out: Any = scheduler(config, None)
    workers: list[Any] = [ParallelWorker(), ParallelWorker()]
    for worker in workers:
        handing_out.add_node(worker)
        handing_out.add_node_collection(worker, tests)
    handing_out.schedule()
    return [worker.given for worker in workers]


def test_files_are_handed_out_in_the_order_of_the_tests_and_those_apart_test_by_test() -> None:
    tests = [f"{APART[0]}::test[a::b]", f"{APART[0]}::test[c]", "tests/test_long.py::one"]
    tests += [f"tests/test_many.py::number{number}" for number in range(9)]
    assert handed_out(tests) == [[0, 2], [1, *range(3, 12)]]


def test_a_folder_whose_tests_are_in_each_other_s_way_goes_to_one_worker() -> None:
    tests = [f"{TOGETHER[0]}/test_a.py::one", f"{TOGETHER[0]}/test_b.py::two", "tests/test_other.py::one"]
    assert handed_out(tests) == [[0, 1], [2]]
