"""Whether an author's file has the name of a module that others import."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.check.source import Module
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
                f"{file.name} has the name of {owner}: `import {file.stem}` gets that one in the worker, but this "
                "file if Python runs in its directory, as in tests.",
                f"Give it another name, such as {file.stem}_block.py.",
            )


def findings_of_equal_names(modules: Collection[Module], places: Collection[Path]) -> Iterator[Finding]:
    """Yield a finding for each import that gets a file of another place, although its own place has one of that name.

    All places are on Python's path, in the order in which they are given, and a name stands for one module.
    """
    directories = list(dict.fromkeys(place if place.is_dir() else place.parent for place in places))
    for module in modules:
        around = [each for each in directories if Path(module.file).is_relative_to(each)]
        if not around:
            continue
        own = max(around, key=lambda each: len(each.parts))
        for name, line in module.imports.items():
            first = next((each for each in directories if _has_module(each, name)), own)
            if first == own or not _has_module(own, name):
                continue
            yield Finding(
                module.file,
                line,
                Level.WARNING,
                "same-module-name",
                f"`import {name}` gets the {name} in {first}, which comes first, and not the one in {own}.",
                "Give one of the two another name.",
            )


def _has_module(directory: Path, name: str) -> bool:
    return os.path.isfile(directory / f"{name}.py") or os.path.isfile(directory / name / "__init__.py")
