"""The state of the source files of a set of blocks. It shows when one of them changes."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobrunner.protocol.catalogue import BlockEntry, Catalogue, ImportProblem

Fingerprint = frozenset[tuple[str, int, int]]
"""For each file: path, time of the last change in nanoseconds, and size in bytes."""


def fingerprint(sources: Iterable[str], catalogue: Catalogue) -> Fingerprint:
    """Look at every Python file below the sources that are directories, and beside each imported module.

    Beside, because an author's block imports other modules of the author, which no catalogue lists.
    """
    places: tuple[BlockEntry | ImportProblem, ...] = (*catalogue.blocks, *catalogue.problems)
    folders = {Path(place.file).parent for place in places if place.file}
    trees = {Path(source) for source in sources if Path(source).is_dir()}
    return frozenset(_stamps(folders, trees))


def _stamps(folders: set[Path], trees: set[Path]) -> Iterator[tuple[str, int, int]]:
    files = {file for folder in folders for file in folder.glob("*.py")}
    files |= {file for tree in trees for file in tree.rglob("*.py")}
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            continue  # it is gone since it was listed, which is a change too
        yield str(file), status.st_mtime_ns, status.st_size
