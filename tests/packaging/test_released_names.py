"""A name that programs read is never lost in silence: the changelog says what became of it."""

import re
from pathlib import Path

from tests.packaging.released_names import names

RELEASED = Path(__file__).with_name("released_names.txt")
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def unreleased() -> str:
    """Return what the changelog says of what is not released yet."""
    return re.split(r"^## \[", CHANGELOG.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]


def untold(released: list[str], now: list[str], told: str) -> list[str]:
    """Return which names are gone and not in `told`. With an event its facts are gone, and need no word."""
    gone = sorted(set(released) - set(now))
    events = {name.removeprefix("event ") for name in gone if name.startswith("event ")}
    words = set(re.findall(r"`-*([\w.-]+)`", told))
    return [
        name
        for name in gone
        for kind, word in [name.split(" ", 1)]
        if word not in words
        and word.replace("_", "-") not in words
        and not (kind == "fact" and (word.split(".")[0] in events or word.split(".")[1] in words))
    ]


def test_each_event_fact_cause_setting_and_command_of_the_last_release_is_there_or_in_the_changelog() -> None:
    assert untold(RELEASED.read_text(encoding="utf-8").splitlines(), names(), unreleased()) == []


def test_a_name_that_is_gone_is_told_of_unless_the_changelog_has_it() -> None:
    released = ["cause a", "event b", "fact b.c", "fact d.e", "setting f_g", "command h"]
    assert untold(released, ["event d"], "") == ["cause a", "command h", "event b", "fact d.e", "setting f_g"]
    assert untold(released, [], "`a` is `z`; `b`; `e` of `d`; `--f-g`; `h`") == []
