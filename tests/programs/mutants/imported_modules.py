"""Which modules a file imports by name, also by way of a package that takes their names from them."""

import ast
from collections.abc import Iterator
from pathlib import Path


class ImportedModules:
    """The imports of the files below `root`; each file is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_file: dict[str, frozenset[str]] = {}
        self._names_of_packages: dict[str, dict[str, str]] = {}

    def of(self, file: str) -> frozenset[str]:
        """Return the dotted names of what this file imports: modules, packages and what it takes from either.

        Of a name that a package's `__init__` has imported, the module that it comes from is among them; of a package
        that is imported itself, all of these modules.
        """
        if file not in self._by_file:
            found: set[str] = set()
            for _, imported in self._imports(file):
                found |= {imported, imported.rpartition(".")[0]}
                found |= self._behind(imported, set())
            self._by_file[file] = frozenset(found - {""})
        return self._by_file[file]

    def _imports(self, file: str) -> Iterator[tuple[str, str]]:
        """Yield each name that an import of this file binds, and the dotted name of what it is bound to."""
        package = module_name(file) if file.endswith("/__init__.py") else module_name(file).rpartition(".")[0]
        for node in ast.walk(ast.parse((self._root / file).read_bytes())):
            if isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                source = ".".join([*above, *([node.module] if node.module else [])])
                for alias in node.names:
                    yield (
                        alias.asname or alias.name,
                        source if alias.name == "*" else f"{source}.{alias.name}",
                    )
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.asname or alias.name, alias.name

    def _behind(self, imported: str, seen: set[str]) -> set[str]:
        """Return the modules that a package has this name from; of a package itself, those of all its names."""
        if imported in seen:
            return set()
        seen.add(imported)
        own = self._names_of(imported)
        parent, _, name = imported.rpartition(".")
        sources = list(own.values()) if own else [self._names_of(parent).get(name, "")]
        found: set[str] = set()
        for source in filter(None, sources):
            found |= {source, source.rpartition(".")[0], *self._behind(source, seen)}
        return found

    def _names_of(self, package: str) -> dict[str, str]:
        """Return what the package's `__init__` imports, by name; of a module, nothing."""
        if package not in self._names_of_packages:
            file = f"{package.replace('.', '/')}/__init__.py"
            is_package = bool(package) and (self._root / file).is_file()
            self._names_of_packages[package] = dict(self._imports(file)) if is_package else {}
        return self._names_of_packages[package]


def module_name(file: str) -> str:
    """Return the dotted name of the module or package in this file."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
