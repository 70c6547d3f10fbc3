"""Taking one change out of a configuration that others may have changed as well. Pure."""

from __future__ import annotations

from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import Line, Tree, paths_of


def is_visible(now: Tree, base: Tree, changed: Tree) -> bool:
    """Tell whether anything of the change from `base` to `changed` is in the configuration `now`."""
    present, old, new = (frozenset(paths_of(tree)) for tree in (now, base, changed))
    return bool((new - old) & present) or bool((old - new) - present)


def without_change(now: Tree, base: Tree, changed: Tree, dialect: Dialect) -> Tree:
    """Return `now` without what the change from `base` to `changed` did. It is `base` if nobody did anything else."""
    is_now, was, is_changed = ({line.text: line for line in tree} for tree in (now, base, changed))
    foreign = [line for line in now if line.text not in was and line.text not in is_changed]
    taken = {dialect.key(line.text) for line in foreign if dialect.is_single(line.text)}
    kept: list[Line] = []
    for line in base:
        if line.text in is_now:
            inside = is_changed.get(line.text, Line(line.text)).children
            kept.append(
                Line(line.text, without_change(is_now[line.text].children, line.children, inside, dialect))
            )
        elif line.text not in is_changed and dialect.key(line.text) not in taken:
            kept.append(line)
    # What was in `base`, was not to go, and is gone all the same, somebody else has removed.
    return (*kept, *foreign)
