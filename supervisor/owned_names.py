"""Our top-level names are common words: another distribution may own them too, and then one overwrites the other."""

import importlib.metadata
from collections.abc import Mapping
from typing import Final

from supervisor.errors import StartRefusedError

OUR_DISTRIBUTION: Final = "neops-supervisor"
OUR_NAMES: Final = ("supervisor", "jobrunner", "sdk", "blocks")


def refuse_foreign_owners(owners: Mapping[str, list[str]] | None = None) -> None:
    """Raise `StartRefusedError` when another installed distribution has a top-level package with one of our names."""
    if owners is None:
        owners = importlib.metadata.packages_distributions()
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
