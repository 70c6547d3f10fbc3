"""A digest of a block's code: the same wherever the same files are, and a different one for any other text.

It covers the block's module and what that module imports, directly or not, also inside of functions, if it is in the
same directory of blocks, or in the same installed package. Libraries, the SDK and data files are not in it.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jobrunner.discovery.module import private_packages

DIGEST_CHARS: Final = 12
_MOST_FILES: Final = 2000


class CodeDigests:
    """Digests of the blocks of one process. Reads and parses each file once."""

    def __init__(self) -> None:
        self._directories = {name: list(sys.modules[name].__path__) for name in private_packages()}
        self._files: dict[Path, tuple[str, list[tuple[int, str]]]] = {}

    def of(self, module: str, file: str | None) -> str:
        """Return the digest of a block in this module and file; an empty text if its files can't be read."""
        if file is None:
            return ""
        try:
            base, is_alone = self._base(module, Path(file))
            files = {Path(file)} if is_alone else self._reached(Path(file), base)
            parts = [f"{path.relative_to(base)} {self._read(path)[0]}" for path in files]
        except (OSError, ValueError, SyntaxError, RecursionError):
            return ""
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:DIGEST_CHARS]

    def _base(self, module: str, file: Path) -> tuple[Path, bool]:
        """Return the directory of the block's author, or the directory of the installed package's top.

        Also return whether only the file itself is the block's: a single module among all that is installed.
        """
        top = module.partition(".")[0]
        if top in self._directories:
            return Path(self._directories[top][0]), False
        inside = len(module.split(".")) - (file.name != "__init__.py")
        return (file.parents[inside - 1], False) if inside else (file.parent, True)

    def _reached(self, file: Path, base: Path) -> set[Path]:
        found: set[Path] = set()
        waiting = [file]
        while waiting and len(found) < _MOST_FILES:
            path = waiting.pop()
            if path in found:
                continue
            found.add(path)
            for level, name in self._read(path)[1]:
                waiting += _places(path, base, level, name)
        return found

    def _read(self, path: Path) -> tuple[str, list[tuple[int, str]]]:
        if path not in self._files:
            text = path.read_bytes()
            self._files[path] = (hashlib.sha256(text).hexdigest(), list(_imports(ast.parse(text))))
        return self._files[path]


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield all imports in a module: the number of dots at the beginning, and the name after them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = node.module or ""
            yield node.level, name
            # The imported name may be a module itself.
            yield from ((node.level, f"{name}.{alias.name}".strip(".")) for alias in node.names)


def _places(importer: Path, base: Path, level: int, name: str) -> Iterator[Path]:
    """Yield the files below `base` that this import runs: the module's, and those of the packages around it."""
    parts = name.split(".") if name else []
    if level:
        start = importer.parent
        for _ in range(level - 1):
            start = start.parent
        if start != base and base not in start.parents:
            return
    else:
        start = base
        if parts[0] == base.name and (base / "__init__.py").exists():  # by the package's full name
            parts = parts[1:]
    for count in range(len(parts) + 1):
        place = start.joinpath(*parts[:count])
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
    if parts and (single := start.joinpath(*parts).with_suffix(".py")).is_file():
        yield single
