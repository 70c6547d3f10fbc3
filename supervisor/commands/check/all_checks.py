"""All checks, and the order in which their findings are shown."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from jobrunner.protocol.catalogue import Catalogue
from supervisor.commands.check.declarations import DECLARED_CHECKS
from supervisor.commands.check.defaults import check_defaults, check_types_of_defaults
from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.check.imports import findings_of_imports
from supervisor.commands.check.methods import check_methods, check_rollback
from supervisor.commands.check.module_names import findings_of_equal_names, findings_of_names
from supervisor.commands.check.registrations import check_models, check_registered
from supervisor.commands.check.secrets import check_secrets
from supervisor.commands.check.source import Module, read_module
from supervisor.commands.local.file_watcher import snapshot

SOURCE_CHECKS: Final[tuple[Callable[[Module], Iterator[Finding]], ...]] = (
    check_methods,
    check_rollback,
    check_defaults,
    check_types_of_defaults,
    check_secrets,
    check_models,
    check_registered,
)
_TESTS: Final = frozenset({"tests", "test", "testing"})
"""Directories in which the worker looks for no blocks (`jobrunner.discovery.sources`)."""


def findings_of(
    catalogue: Catalogue, files: Collection[Path], places: Collection[Path] = ()
) -> list[Finding]:
    """Return the findings about these blocks and about the modules in these files, by file and line.

    `places` are the directories and files in which the worker looks for blocks.
    """
    modules = [module for file in files if (module := read_module(file)) is not None]
    in_source = [finding for module in modules for check in SOURCE_CHECKS for finding in check(module)]
    declared = [
        finding for block in catalogue.blocks for check in DECLARED_CHECKS for finding in check(block)
    ]
    known = {(finding.file, finding.code) for finding in in_source}
    # The import stops at a module's first error, and names the decorator's line; the source shows all errors.
    imported = [
        finding for finding in findings_of_imports(catalogue) if (finding.file, finding.code) not in known
    ]
    names = (*findings_of_names(files, places), *findings_of_equal_names(modules, places))
    found = dict.fromkeys((*imported, *in_source, *declared, *names))
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.level, finding.code))


def no_blocks(catalogue: Catalogue, sources: Iterable[str]) -> list[Finding]:
    """Return a finding if the worker has nothing to run, and nothing else says why."""
    if catalogue.blocks or catalogue.problems:
        return []
    message = "There is no function block here."
    advice = "Write one with `supervisor new-block NAME`, or name the directory that has some."
    return [Finding(", ".join(sources), 0, Level.ERROR, "no-blocks", message, advice)]


def source_files(places: Iterable[Path], catalogue: Catalogue) -> list[Path]:
    """Return the files to read: those below `places`, without tests, and those of the found blocks."""
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            below = [Path(name) for name in snapshot([place])]
            found.update(dict.fromkeys(file for file in below if not _is_a_test(file.relative_to(place))))
        elif place.is_file():
            found[place] = None
    found.update(dict.fromkeys(Path(block.file) for block in catalogue.blocks if block.file))
    return sorted(found)


def _is_a_test(relative: Path) -> bool:
    return (
        bool(_TESTS.intersection(relative.parts[:-1]))
        or relative.name.startswith("test_")
        or relative.name == "conftest.py"
    )
