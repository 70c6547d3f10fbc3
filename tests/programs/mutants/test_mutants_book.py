"""What is kept of earlier runs, and when it still holds."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.programs.mutants.book import Judgements, TrialBook
from tests.programs.mutants.coverage_map import digest
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
    test = digest(checkout / "test_a.py")
    return Trial(mutant.identity, digest(checkout / "a.py"), "killed", by="test_a.py::test_f", tests=test)


def test_an_interrupted_run_goes_on_where_it_was(checkout: Path, mutant: Mutant) -> None:
    book = checkout / "trials"
    TrialBook(checkout, book).add(killed(checkout, mutant))
    with book.open("a") as half_written:
        half_written.write('{"mutant": "a.py::f: x')
    assert TrialBook(checkout, book).known(mutant, "any") == killed(checkout, mutant)


@pytest.mark.parametrize("changed", ["a.py", "test_a.py"])
def test_a_kill_is_tried_again_when_the_code_or_the_test_has_changed(
    checkout: Path, mutant: Mutant, changed: str
) -> None:
    book = TrialBook(checkout, checkout / "trials")
    book.add(killed(checkout, mutant))
    (checkout / changed).write_text("something else")
    assert book.known(mutant, "any") is None


def test_a_survivor_is_tried_again_when_its_tests_are_others(checkout: Path, mutant: Mutant) -> None:
    book = TrialBook(checkout, checkout / "trials")
    survivor = replace(killed(checkout, mutant), outcome="survived", by="", tests="these")
    book.add(survivor)
    assert book.known(mutant, "these") == survivor
    assert book.known(mutant, "others") is None


def test_a_judgement_of_code_that_is_gone_is_told(checkout: Path, mutant: Mutant) -> None:
    path = checkout / "judged.toml"
    entry = '[[mutant]]\nis = "{}"\njudged = "equivalent"\nreason = "why"\n'
    path.write_text(
        entry.format(mutant.identity) + entry.format("a.py::g: b -> c") + entry.format("other.py::x")
    )
    judgements = Judgements(path)
    assert judgements.is_equivalent(mutant.identity)
    assert judgements.outdated([mutant]) == ["a.py::g: b -> c"]
