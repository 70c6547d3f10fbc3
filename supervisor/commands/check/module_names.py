"""Whether an author's file has the name of a module that others import."""

from collections.abc import Collection, Iterator
from pathlib import Path

from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.shared.module_names import owner_of


def findings_of_names(files: Collection[Path], places: Collection[Path]) -> Iterator[Finding]:
    """Yield a finding for each file that Python could mistake for another module, or another module for it.

    Only the places themselves are on Python's path. Files of a package, and of folders below, have longer names.
    """
    packages = {file.parent for file in files if file.name == "__init__.py"}
    for file in files:
        on_the_path = (file in places or file.parent in places) and file.parent not in packages
        if not on_the_path or not file.stem.isidentifier():
            continue
        owner = owner_of(file.stem)
        if owner:
            yield Finding(
                str(file),
                0,
                Level.WARNING,
                "shadows-module",
                f"{file.name} has the name of {owner}: `import {file.stem}` gets that one in the worker, and this "
                "file where Python runs in its directory, as tests do.",
                f"Give it another name, such as {file.stem}_block.py.",
            )
