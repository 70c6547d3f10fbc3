"""Takes one change out of a configuration that others may have changed, too. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import Line, Tree, paths_of


def is_visible(now: Tree, base: Tree, changed: Tree) -> bool:
    """Whether anything of the change from `base` to `changed` is in the configuration `now`."""
    present, old, new = (frozenset(paths_of(tree)) for tree in (now, base, changed))
    return bool((new - old) & present) or bool((old - new) - present)


def without_change(
    now: Tree, base: Tree, changed: Tree, dialect: Dialect, parents: tuple[str, ...] = ()
) -> Tree:
    """Return `now` without the effects of the change from `base` to `changed`. It is `base` if nobody else changed it.

    If the order of lines matters, lines that others have put in between stay there. `parents` are the headers above.
    """
    is_now, was, is_changed = ({line.text: line for line in tree} for tree in (now, base, changed))
    foreign = [line for line in now if line.text not in was and line.text not in is_changed]
    taken = {dialect.key(line.text) for line in foreign if dialect.is_single(line.text)}
    kept: list[Line] = []
    for line in base:
        if line.text in is_now:
            inside = is_now[line.text].children
            after = is_changed.get(line.text, Line(line.text)).children
            if after != line.children:  # otherwise others have made all differences in it
                inside = without_change(inside, line.children, after, dialect, (*parents, line.text))
            kept.append(Line(line.text, inside))
        elif line.text not in is_changed and dialect.key(line.text) not in taken:
            kept.append(line)
    # A line of `base` that the change kept, and that is gone now, was removed by somebody else.
    if not dialect.is_ordered(parents):
        return (*kept, *foreign)
    every = {line.text: line for line in (*kept, *foreign)}
    left = [every[line.text] for line in now if line.text in every]
    # If the change made the present order, the order of before comes back. Any other order is the work of others.
    shared = is_now.keys() & was.keys() & is_changed.keys()
    order, order_of_change = ([line.text for line in tree if line.text in shared] for tree in (now, changed))
    return _put_in(kept, left) if order == order_of_change else _put_in(left, kept)


def _put_in(lines: Sequence[Line], others: Sequence[Line]) -> Tree:
    """Put the lines of `others` that are missing into `lines`, each after all lines that are before it in `others`."""
    position = {line.text: number for number, line in enumerate(lines, 1)}
    parts: list[list[Line]] = [[], *([line] for line in lines)]
    behind = 0
    for line in others:
        if line.text in position:
            behind = max(behind, position[line.text])
        else:
            parts[behind].append(line)
    return tuple(line for part in parts for line in part)
