"""Which tests run which lines, recorded once for each file of tests and kept until something in it has changed."""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

from tests.programs.mutants.imported_modules import ImportedModules, module_name
from tests.programs.mutants.lane import PRODUCT, Lane
from tests.programs.mutants.mutation import Mutant
from tests.programs.mutants.recording_plugin import IMPORTS

_FILE_SECONDS: Final = 1500
_TEST_SECONDS: Final = 240


@dataclass(frozen=True, slots=True)
class Test:
    """One test that passes: the lines, as bits by file, that its own process runs and that others run meanwhile."""

    node: str
    seconds: float
    own: dict[str, int]
    others: dict[str, int]

    @property
    def file(self) -> str:
        """The file that it stands in."""
        return self.node.partition("::")[0]

    def runs(self, file: str, line: int) -> bool:
        """Whether it runs this line in any process."""
        return _runs(self, file, 1 << line)


class Layout:
    """Where each line of the product has its byte while tests are recorded."""

    def __init__(self, root: Path) -> None:
        self.bases: dict[str, int] = {}
        self.lengths: dict[str, int] = {}
        self.length = 0
        for path in sorted(path for top in PRODUCT for path in (root / top).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            self.bases[name] = self.length
            self.lengths[name] = len(path.read_bytes().splitlines()) + 2
            self.length += self.lengths[name]

    def as_json(self) -> dict[str, Any]:
        """Return what the recorder reads."""
        return {"bases": self.bases, "length": self.length}

    def lines(self, recorded: bytes) -> dict[str, int]:
        """Return what was recorded, as one number for each file: bit n stands for line n."""
        found: dict[str, int] = {}
        for name, base in self.bases.items():
            part = recorded[base : base + self.lengths[name]]
            if any(part):
                found[name] = int("".join("1" if byte else "0" for byte in reversed(part)), 2)
        return found


def record(lane: Lane, file: str) -> dict[str, Any]:
    """Run a file of tests in the lane and return, for each that passes, what ran."""
    layout = Layout(lane.directory)
    with lane.recording(layout.as_json()) as directory:
        report = lane.run([file], _FILE_SECONDS, _TEST_SECONDS, record=True)
        tests = [
            {
                "test": test["test"],
                "seconds": test["seconds"],
                "own": _hexadecimal(layout, directory / f"{test['name']}.in"),
                "others": _hexadecimal(layout, directory / f"{test['name']}.out"),
            }
            for test in report["tests"]
        ]
        imports = directory / f"{IMPORTS}.in"
        used = set(layout.lines(imports.read_bytes())) if imports.exists() else set()
    used |= {name for test in tests for side in ("own", "others") for name in test[side]}
    return {
        "tests": tests,
        "failed": report["failed_tests"],
        "digests": digests(lane.directory, {file, *used}),
        "exit": report["exit"],
    }


def _hexadecimal(layout: Layout, path: Path) -> dict[str, str]:
    return {name: f"{bits:x}" for name, bits in layout.lines(path.read_bytes()).items()}


def digests(root: Path, files: set[str]) -> dict[str, str]:
    """Return a digest of each file; of one that is not there, an empty text."""
    return {name: digest(root / name) for name in sorted(files)}


def digest(path: Path) -> str:
    """Return a digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


class CoverageMap:
    """The recordings of all files of tests, kept in a directory."""

    def __init__(self, root: Path, directory: Path) -> None:
        self._root = root
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._tests: list[Test] = []
        self._for_this_run: dict[str, dict[str, Any]] = {}
        self._functions_by_file: dict[str, list[tuple[range, int]]] = {}
        self._imported = ImportedModules(root)
        self._users_by_file: dict[str, set[str]] = {}

    def outdated(self, files: list[str]) -> list[str]:
        """Return the files of tests that are to be recorded: never recorded, or something they ran has changed."""
        return [file for file in files if not self._is_current(file)]

    def keep(self, file: str, recording: dict[str, Any]) -> None:
        """Keep a recording."""
        self._path(file).write_text(json.dumps(recording))

    def use(self, file: str, recording: dict[str, Any]) -> None:
        """Use a recording in this run only."""
        self._path(file).unlink(missing_ok=True)
        self._for_this_run[file] = recording

    def load(self, files: list[str]) -> None:
        """Read the recordings of these files of tests."""
        self._tests = [test for file in files for test in self._read(file)]

    def covering(self, mutant: Mutant) -> list[Test]:
        """Return the tests that run the mutant's line, those first that are most likely to notice it soonest.

        These are the tests of files that are about the module (they import it, or are named after it), then the others;
        among each, one test of every file before the second of any, the cheapest first: tests of one file are alike.

        A default of a parameter belongs to each test that runs the function. Any other line that runs at an import
        belongs to each test that runs anything of the module, or whose file imports it by name; then to those that run
        anything of a module that imports it, for that is where its constants are used. What a process runs that a test
        started may have been for another test of the same file: so these are taken, too, but last.
        """
        direct, users = self._direct(mutant)
        shared = {test.file for test in direct if test.others.get(mutant.file, 0)}
        known = {test.node for test in direct}
        others = [test for test in self._tests if test.node not in known]
        using = [test for test in others if any(_runs(test, user, bits) for user, bits in users.items())]
        known |= {test.node for test in using}
        near = [test for test in others if test.file in shared and test.node not in known]
        return [test for group in (direct, using, near) for test in self._ordered(group, mutant.file)]

    def _direct(self, mutant: Mutant) -> tuple[list[Test], dict[str, int]]:
        """Return the tests whose line it is; and, where others may use it, in which lines of which files."""
        file = mutant.file
        if mutant.in_function:
            return [test for test in self._tests if test.runs(file, mutant.line)], {}
        if body := next((body for head, body in self._functions(file) if mutant.line in head), 0):
            return [test for test in self._tests if _runs(test, file, body)], {}
        bodies = self._bodies(file)
        direct = [test for test in self._tests if _runs(test, file, bodies) or self._imports(test.file, file)]
        return direct, {user: self._bodies(user) for user in self._users(file)}

    def _users(self, file: str) -> set[str]:
        """Return the files of the product that import this module, or something of it, by name."""
        if file not in self._users_by_file:
            ran = {name for test in self._tests for side in (test.own, test.others) for name in side}
            there = {name for name in ran if name != file and (self._root / name).is_file()}
            self._users_by_file[file] = {name for name in there if self._imports(name, file)}
        return self._users_by_file[file]

    def _ordered(self, tests: list[Test], file: str) -> list[Test]:
        stem = file.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        turns: Counter[str] = Counter()
        keys: dict[str, tuple[bool, int, float]] = {}
        for test in sorted(tests, key=_cost):
            is_about_it = stem in test.file.rpartition("/")[2] or self._imports(test.file, file)
            keys[test.node] = (not is_about_it, turns[test.file], _cost(test))
            turns[test.file] += 1
        return sorted(tests, key=lambda test: keys[test.node])

    def _imports(self, importing_file: str, file: str) -> bool:
        """Whether a file imports this module, or something of it, by name, or by way of its package."""
        return module_name(file) in self._imported.of(importing_file)

    def _bodies(self, file: str) -> int:
        """Return, as bits, the lines of all functions of a file."""
        return reduce(or_, (body for _, body in self._functions(file)), 0)

    def _functions(self, file: str) -> list[tuple[range, int]]:
        """Return, for each function of a file, the lines of its signature and, as bits, those of its body."""
        if file not in self._functions_by_file:
            found: list[tuple[range, int]] = []
            for node in ast.walk(ast.parse((self._root / file).read_bytes())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    bits = 0
                    for statement in node.body:
                        assert statement.end_lineno is not None
                        bits |= (1 << statement.end_lineno + 1) - (1 << statement.lineno)
                    found.append((range(node.lineno, node.body[0].lineno), bits))
            self._functions_by_file[file] = found
        return self._functions_by_file[file]

    def _is_current(self, file: str) -> bool:
        try:
            kept = json.loads(self._path(file).read_text())["digests"]
        except (OSError, ValueError, KeyError):
            return False
        return all(digest(self._root / name) == known for name, known in kept.items())

    def _read(self, file: str) -> Iterator[Test]:
        path = self._path(file)
        recording = self._for_this_run.get(file) or (json.loads(path.read_text()) if path.exists() else {})
        for test in recording.get("tests", []):
            own, others = (
                {name: int(bits, 16) for name, bits in test[side].items()} for side in ("own", "others")
            )
            yield Test(test["test"], test["seconds"], own, others)

    def _path(self, file: str) -> Path:
        return self._directory / f"{file.replace('/', '+')}.json"


def _runs(test: Test, file: str, bits: int) -> bool:
    """Whether a test runs one of these lines in any process."""
    return bool((test.own.get(file, 0) | test.others.get(file, 0)) & bits)


def _cost(test: Test) -> float:
    lines = sum(bits.bit_count() for side in (test.own, test.others) for bits in side.values())
    return test.seconds + lines / 2000
