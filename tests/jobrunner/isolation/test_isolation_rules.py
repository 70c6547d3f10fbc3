"""Rules that only allow, against a model that asks for each file what is said of the nearest path above it."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from jobrunner.isolation.rules import (
    Access,
    Rule,
    only_jobs_directory,
    rules_for,
    with_open_jobs_directory,
)
from jobrunner.protocol.isolation import FileRules

NAMES = ("a", "b", "c")
# Every directory is full to this depth, and what is at the lowest one is a file.
DEPTH = 3


def list_entries(directory: str) -> Iterable[str]:
    return NAMES if len(PurePosixPath(directory).parts) <= DEPTH else ()


def everything(above: str = "") -> list[str]:
    names = [f"{above}/{name}" for name in NAMES]
    return (
        names
        if names[0].count("/") == DEPTH
        else [*names, *(one for name in names for one in everything(name))]
    )


def above(path: str) -> list[str]:
    """`path` and what is above it, the nearest first."""
    return [str(one) for one in (PurePosixPath(path), *PurePosixPath(path).parents)]


def allowed_by(rules: list[Rule], path: str) -> Access:
    """What the kernel allows: all that any rule above does."""
    return max((rule.access for rule in rules if rule.path in above(path)), default=Access.NONE)


def said_of(files: FileRules, path: str) -> Access:
    """What is said of the nearest path. Of the same one, that it is closed counts first, then that it is writable."""
    for one in above(path):
        if one in files.closed or one == files.jobs_directory:
            return Access.NONE
        if one in files.writable:
            return Access.ALL
        if one in files.read_only:
            return Access.READ
    return Access.ALL


paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=DEPTH).map(lambda names: "/" + "/".join(names))
some = st.lists(paths, max_size=3).map(tuple)
file_rules = st.builds(FileRules, some, some, some, st.none() | paths)


@given(file_rules)
@settings(max_examples=150, deadline=None)
def test_each_file_is_allowed_what_the_nearest_path_above_it_says(files: FileRules) -> None:
    rules = rules_for(files, list_entries)
    for path in everything():
        if not any(path in above(marked) for marked in marked_in(files)):
            assert allowed_by(rules, path) == said_of(files, path), path


def marked_in(files: FileRules) -> list[str]:
    jobs = [] if files.jobs_directory is None else [files.jobs_directory]
    return [*files.closed, *files.read_only, *files.writable, *jobs]


@given(file_rules)
@settings(max_examples=150, deadline=None)
def test_no_path_is_allowed_more_than_is_said_of_it_also_one_that_is_above_others(files: FileRules) -> None:
    rules = rules_for(files, list_entries)
    for path in (*everything(), "/"):
        assert allowed_by(rules, path) <= said_of(files, path), path
    assert len({rule.path for rule in rules}) == len(rules)


def test_what_appears_later_beside_a_closed_path_is_closed_and_beside_a_read_only_one_it_can_be_read() -> (
    None
):
    rules = rules_for(FileRules(closed=("/a/b",), read_only=("/b/a",)), list_entries)
    late = {path: allowed_by(rules, path) for path in ("/late", "/a/late", "/b/late", "/c/late", "/b/a/late")}
    assert late == {
        "/late": Access.NONE,
        "/a/late": Access.NONE,
        "/b/late": Access.READ,
        "/c/late": Access.ALL,
        "/b/a/late": Access.READ,
    }
    for directory in ("/", "/a", "/b"):
        assert allowed_by(rules, directory) < Access.ALL  # so nothing can be made there


def test_with_nothing_said_all_is_allowed_by_one_rule() -> None:
    assert rules_for(FileRules(), list_entries) == [Rule("/", Access.ALL)]


def test_a_directory_that_can_not_be_listed_is_closed_but_for_what_is_said_of_it() -> None:
    files = FileRules(closed=("/a/b",), read_only=("/a/c",))
    rules = rules_for(files, lambda directory: NAMES if directory == "/" else ())
    assert rules == [Rule("/b", Access.ALL), Rule("/c", Access.ALL), Rule("/a/c", Access.READ)]


def test_before_the_order_all_jobs_directories_are_open_and_with_it_none() -> None:
    files = FileRules(closed=("/a",), read_only=("/b",), jobs_directory="/a/c")
    first = rules_for(with_open_jobs_directory(files), list_entries)
    assert first == [Rule("/c", Access.ALL), Rule("/a/c", Access.ALL), Rule("/b", Access.READ)]
    second = rules_for(only_jobs_directory(files), list_entries)
    # Both hold at once: what is allowed is what both allow.
    for path in everything():
        if path not in ("/a", "/a/c"):
            both = min(allowed_by(first, path), allowed_by(second, path))
            assert both == said_of(files, path), path
