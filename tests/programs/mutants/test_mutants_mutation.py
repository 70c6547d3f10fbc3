"""The faults that a source file is given."""

import pytest

from tests.programs.mutants.__main__ import ROOT
from tests.programs.mutants.mutation import mutants_of
from tests.programs.mutants.parts import PARTS, mutants_in


def changes(source: str) -> set[str]:
    return {f"{mutant.original} -> {mutant.replacement}" for mutant in mutants_of("a.py", source.encode())}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("return a < b", {"a < b -> (a <= b)", "a < b -> None"}),
        ("return a if x in y else b", {"x in y -> (x not in y)", "a if x in y else b -> None"}),
        ("if a and b: c = 1", {"a and b -> (a or b)", "a and b -> (not (a and b))", "1 -> 2"}),
        (
            "if not a: raise ValueError('it is wrong')",
            {"not a -> (a)", "raise ValueError('it is wrong') -> pass"},
        ),
        ("close(a)", {"close(a) -> pass"}),
        ("await close(a)", {"await close(a) -> pass"}),
        ("self.seconds = 0.5", {"self.seconds = 0.5 -> pass", "0.5 -> 5.0"}),
        ("x = a - 1", {"a - 1 -> (a + 1)", "1 -> 2"}),
        ("x = (a - 1) * b", {"(a - 1) * b -> ((a - 1) / b)", "a - 1 -> (a + 1)", "1 -> 2"}),
        ("for x in y:\n  if x: break", {"x -> (not (x))", "break -> continue"}),
        ("x = [y for y in z if y > 0]", {"y > 0 -> (y >= 0)", "y > 0 -> (not (y > 0))", "0 -> 1"}),
        ("run(daemon=True)", {"run(daemon=True) -> pass", "True -> False"}),
    ],
)
def test_each_operator_makes_the_fault_that_it_is_for(statement: str, expected: set[str]) -> None:
    assert changes(f"async def f(a, b, x, y, z):\n {statement}\n") == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A text."""',
        "def f(x: 'int | None' = None) -> int | None: ...",
        "Either = int | str",
        "def f(): assert 1 < 2",
        "def f(): self._log.info('%d jobs', 2)",
        "def f():\n log.debug('a', 1)\n self.logger.warning('b')",
        "def f(): return None",
        "@dataclass(frozen=True)\nclass A: pass",
        "from typing import cast\nx = cast('int | None', y)",
        "def f(): name = f'{x:2}' + 'b'",
    ],
)
def test_texts_types_assertions_and_log_lines_are_left_alone(source: str) -> None:
    assert changes(source) == set()


def test_a_mutant_keeps_its_name_when_other_lines_move() -> None:
    source = b"def f(a):\n    g(a)\n    g(a)\n"
    moved = b"import os\n\n\n" + source
    assert [mutant.identity for mutant in mutants_of("a.py", source)] == [
        "a.py::f: g(a) -> pass",
        "a.py::f: g(a) -> pass #2",
    ]
    assert [m.identity for m in mutants_of("a.py", moved)] == [m.identity for m in mutants_of("a.py", source)]


def test_a_mutant_changes_one_place_of_the_bytes_also_behind_other_letters() -> None:
    source = "def f(a):\n    x = 'Zürich'; return a == 1\n".encode()
    texts = {mutant.applied(source).decode() for mutant in mutants_of("a.py", source)}
    assert texts == {
        "def f(a):\n    x = 'Zürich'; return (a != 1)\n",
        "def f(a):\n    x = 'Zürich'; return a == 2\n",
        "def f(a):\n    x = 'Zürich'; return None\n",
    }


def test_every_pattern_of_the_parts_still_names_files_and_no_two_mutants_share_a_name() -> None:
    for patterns in PARTS.values():
        for pattern in patterns:
            assert list(ROOT.glob(pattern)), f"{pattern} names no file: adapt tests/programs/mutants/parts.py"
    names = [mutant.identity for mutant in mutants_in(ROOT, PARTS["pure"])]
    assert len(names) == len(set(names)) > 1000
