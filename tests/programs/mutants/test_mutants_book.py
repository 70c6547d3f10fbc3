"""What is kept of earlier runs, and when it still holds."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.programs.mutants import coverage_map
from tests.programs.mutants.book import Judgements, TrialBook
from tests.programs.mutants.coverage_map import digest
from tests.programs.mutants.digests import TestDigests
from tests.programs.mutants.mutation import Mutant, mutants_of
from tests.programs.mutants.trial import Trial


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("def f(a):\n    return a\n")
    (tmp_path / "test_a.py").write_text("one")
    return tmp_path


@pytest.fixture
def mutant(checkout: Path) -> Mutant:
    return mutants_of("a.py", (checkout / "a.py").read_bytes())[0]


def killed(checkout: Path, mutant: Mutant) -> Trial:
    test = TestDigests(checkout).of_files(["test_a.py"])
    return Trial(mutant.identity, digest(checkout / "a.py"), "killed", by="test_a.py::test_f", tests=test)


def test_an_interrupted_run_goes_on_where_it_was(checkout: Path, mutant: Mutant) -> None:
    book = checkout / "trials"
    TrialBook(checkout, book).add(killed(checkout, mutant))
    with book.open("a") as half_written:
        half_written.write('{"mutant": "a.py::f: x')
    assert TrialBook(checkout, book).known(mutant, "any", TestDigests(checkout), 60) == killed(
        checkout, mutant
    )


@pytest.mark.parametrize("changed", ["a.py", "test_a.py"])
def test_a_kill_is_tried_again_when_the_code_or_the_test_has_changed(
    checkout: Path, mutant: Mutant, changed: str
) -> None:
    book = TrialBook(checkout, checkout / "trials")
    book.add(killed(checkout, mutant))
    (checkout / changed).write_text("something else")
    assert book.known(mutant, "any", TestDigests(checkout), 60) is None


def test_a_survivor_is_tried_again_when_its_tests_are_others(checkout: Path, mutant: Mutant) -> None:
    book = TrialBook(checkout, checkout / "trials")
    survivor = replace(killed(checkout, mutant), outcome="survived", by="", tests="these")
    book.add(survivor)
    assert book.known(mutant, "these", TestDigests(checkout), 60) == survivor
    assert book.known(mutant, "others", TestDigests(checkout), 60) is None


def test_a_survivor_that_lacked_time_is_tried_again_with_more_of_it(checkout: Path, mutant: Mutant) -> None:
    book, digests = TrialBook(checkout, checkout / "trials"), TestDigests(checkout)
    lacked = replace(killed(checkout, mutant), outcome="survived", by="", tests="these", tried=1, covering=9)
    book.add(replace(lacked, budget_seconds=60.0))
    assert book.known(mutant, "these", digests, 60) is not None
    assert book.known(mutant, "these", digests, 61) is None
    book.add(replace(lacked, budget_seconds=60.0, tried=9))
    assert book.known(mutant, "these", digests, 61) is not None


@pytest.mark.parametrize(
    "changed", ["conftest.py", "tests/conftest.py", "tests/a/beside.py", "tests/helper.py", "tests/behind.py"]
)
def test_a_test_is_another_one_when_what_it_imports_of_the_tests_or_a_conftest_above_it_has_changed(
    tmp_path: Path, changed: str
) -> None:
    texts = {
        "tests/a/test_a.py": "import beside\nfrom tests.helper import check\nimport sdk.module",
        "tests/helper.py": "from tests.behind import value",
        **dict.fromkeys(("conftest.py", "tests/conftest.py", "tests/a/beside.py", "tests/behind.py"), ""),
        "sdk/module.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    before = TestDigests(tmp_path).of_files(["tests/a/test_a.py"])
    (tmp_path / "sdk/module.py").write_text("value = 1")  # the recordings of coverage look at the product
    assert TestDigests(tmp_path).of_files(["tests/a/test_a.py"]) == before
    (tmp_path / changed).write_text("value = 1")
    assert TestDigests(tmp_path).of_files(["tests/a/test_a.py"]) != before


def test_of_very_many_files_a_change_of_the_last_is_noticed(tmp_path: Path) -> None:
    tests = [
        coverage_map.Test(f"tests/test_{'x' * 100}_{number}.py::test", 0.1, {}, {}) for number in range(50)
    ]
    (tmp_path / "tests").mkdir()
    for test in tests:
        (tmp_path / test.file).write_text("")
    before = TestDigests(tmp_path).of_tests(tests)
    (tmp_path / sorted(test.file for test in tests)[-1]).write_text("pass")
    assert TestDigests(tmp_path).of_tests(tests) != before


def test_a_judgement_of_code_that_is_gone_is_told(checkout: Path, mutant: Mutant) -> None:
    path = checkout / "judged.toml"
    entry = '[[mutant]]\nis = "{}"\njudged = "equivalent"\nreason = "why"\n'
    path.write_text(
        entry.format(mutant.identity) + entry.format("a.py::g: b -> c") + entry.format("other.py::x")
    )
    judgements = Judgements(path)
    assert judgements.is_equivalent(mutant.identity)
    assert judgements.outdated([mutant]) == ["a.py::g: b -> c"]
