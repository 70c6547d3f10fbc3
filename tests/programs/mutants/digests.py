"""What tells that a test is another one than before: its file, and all that decides what it asserts."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tests.programs.mutants.coverage_map import Test, digest
from tests.programs.mutants.imported_modules import ImportedModules


class TestDigests:
    """What changes when tests do: their files, what these import below `tests`, and the `conftest.py` above them."""

    __test__ = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._imported = ImportedModules(root)
        self._by_file: dict[str, str] = {}

    def of_tests(self, tests: list[Test]) -> str:
        """Return what changes when one of these tests, or the list of them, does."""
        return f"{self.of_files({test.file for test in tests})} {len(tests)}"

    def of_files(self, files: Iterable[str]) -> str:
        """Return a digest of these files of tests, and of all that decides what they assert."""
        return _digest_of(self._of_file(file) for file in sorted(files))

    def _of_file(self, file: str) -> str:
        if file not in self._by_file:
            self._by_file[file] = _digest_of(
                f"{name} {digest(self._root / name)}" for name in sorted(self._files_behind(file))
            )
        return self._by_file[file]

    def _files_behind(self, file: str) -> set[str]:
        waiting, found = [file, *self._conftests(file)], set[str]()
        while waiting:
            name = waiting.pop()
            if name in found or not (self._root / name).is_file():
                continue
            found.add(name)
            for module in self._imports(name):
                path = module.replace(".", "/")
                # A helper may lie beside the test, or in a folder that a conftest puts on the path.
                for folder in ("", f"{name.rpartition('/')[0]}/", "tests/hosting/"):
                    waiting += [
                        one
                        for one in (f"{folder}{path}.py", f"{folder}{path}/__init__.py")
                        if one.startswith("tests/")
                    ]
        return found

    def _imports(self, file: str) -> frozenset[str]:
        try:
            return self._imported.of(file)
        except SyntaxError:  # no test of it passes, so none is tried
            return frozenset()

    def _conftests(self, file: str) -> list[str]:
        folders = file.split("/")[:-1]
        return ["/".join([*folders[:depth], "conftest.py"]) for depth in range(len(folders) + 1)]


def _digest_of(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
