"""Our top-level names are common words: another distribution may have them too, and one then overwrites the other."""

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from typing import Final

from supervisor.errors import StartRefusedError

OUR_DISTRIBUTION: Final = "neops-supervisor"
OUR_NAMES: Final = ("supervisor", "jobrunner", "sdk", "blocks")


def refuse_foreign_owners(owners: Mapping[str, list[str]] | None = None) -> None:
    """Raise `StartRefusedError` if another installed distribution has a top-level package with one of our names."""
    if owners is None:
        owners = owners_of(OUR_NAMES, importlib.metadata.distributions())
    foreign = {
        name: others
        for name in OUR_NAMES
        if (others := sorted(set(owners.get(name, [])) - {OUR_DISTRIBUTION}))
    }
    if foreign:
        listed = "; ".join(
            f"{name!r} also belongs to {', '.join(others)}" for name, others in foreign.items()
        )
        raise StartRefusedError(
            f"Another installed distribution owns a package name of this worker: {listed}. "
            f"Uninstall it, or install {OUR_DISTRIBUTION} into an environment of its own, then reinstall it."
        )


def owners_of(names: Iterable[str], distributions: Iterable[Distribution]) -> dict[str, list[str]]:
    """Return which distributions have a top-level module or package with one of `names`.

    `importlib.metadata.packages_distributions` does the same. But it makes a path of every file of every distribution,
    which took a quarter of a second of each start.
    """
    owners: dict[str, list[str]] = {}
    wanted = frozenset(names)
    files = re.compile(rf"^(?:\.\./)?({'|'.join(map(re.escape, sorted(wanted)))})(?:/|\.py\b)", re.MULTILINE)
    for distribution in distributions:
        for name in wanted.intersection(_top_level_names(distribution, files)):
            owners.setdefault(name, []).append(distribution.metadata["Name"])
    return owners


def _top_level_names(distribution: Distribution, files: re.Pattern[str]) -> Iterator[str]:
    if declared := distribution.read_text("top_level.txt"):
        yield from declared.split()
        return
    for listing in ("RECORD", "installed-files.txt", "SOURCES.txt"):
        if text := distribution.read_text(listing):
            yield from files.findall(text)
            return
