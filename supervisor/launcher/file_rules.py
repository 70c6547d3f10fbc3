"""Which files jobs may reach: turns the paths that people name into rules. Pure: `follow` says where links lead."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from jobrunner.protocol.isolation import FileRules, is_at_or_below

Follow = Callable[[str], Sequence[str]]
"""Returns every symbolic link on the way to a path, and last the path at its end, all of them absolute."""


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute paths as people name them. They need not exist: what is made there later counts too."""

    closed: tuple[str, ...] = ()
    """Jobs neither read nor write these."""
    needed: tuple[str, ...] = ()
    """Jobs read these and never write them, wherever they are: code."""
    guarded: tuple[str, ...] = ()
    """Jobs never write these. Inside of a closed path, jobs don't read them either."""
    writable: tuple[str, ...] = ()
    jobs_directory: str | None = None


def file_rules(places: Places, follow: Follow) -> FileRules:
    """Return the rules. If one place is named in two ways, closed wins, then writable."""
    closed = _followed(places.closed, follow)
    writable = [path for path in _followed(places.writable, follow) if path not in closed]
    needed = _followed(places.needed, follow)
    guarded = [
        path for path in _followed(places.guarded, follow) if not any(is_at_or_below(path, c) for c in closed)
    ]
    read_only = [path for path in dict.fromkeys((*needed, *guarded)) if path not in (*closed, *writable)]
    jobs = None if places.jobs_directory is None else follow(places.jobs_directory)[-1]
    return FileRules(tuple(closed), tuple(read_only), tuple(writable), jobs)


def without_new_files(files: FileRules) -> list[str]:
    """Return the directories in which jobs can make nothing: those above something closed or read-only.

    A rule for such a directory would apply to all below it, so there is a rule for each of its entries.
    """
    marks = dict.fromkeys((*files.closed, *files.read_only), False) | dict.fromkeys(files.writable, True)
    on_the_way = {
        above for path, is_open in marks.items() if not is_open for above in _all_above(path) if above != path
    }
    return sorted(path for path in on_the_way if _is_open(path, marks))


def _is_open(path: str, marks: dict[str, bool]) -> bool:
    return next((marks[above] for above in reversed(_all_above(path)) if above in marks), True)


def _all_above(path: str) -> list[str]:
    """Return `/`, each directory above `path`, and itself."""
    parts = path.strip("/").split("/") if path != "/" else []
    return ["/"] + ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]


def _followed(paths: Iterable[str], follow: Follow) -> list[str]:
    """Return all paths, and where they lead, once each. `/` is left out: it would be everything."""
    return [path for path in dict.fromkeys(each for path in paths for each in follow(path)) if path != "/"]
