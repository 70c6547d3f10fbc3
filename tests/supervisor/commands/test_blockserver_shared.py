"""Several launchers in one process: what each of them knows, and hears."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.commands.blockserver.shared_launcher import SharedLauncher
from supervisor.launcher.known_children import KnownChildren


@pytest.mark.parametrize("dead", [0, 1], ids=["its own", "a neighbour's"])
def test_each_launcher_hears_of_orphans_whoever_of_them_had_forked_them(dead: int) -> None:
    launchers = [cast("Any", SimpleNamespace(known_children=KnownChildren())) for _ in range(2)]
    heard: list[str] = []
    first, second = launchers
    SharedLauncher(first, [second]).known_children.on_orphans(lambda: heard.append("first"))
    SharedLauncher(second, [first]).known_children.on_orphans(lambda: heard.append("second"))
    launchers[dead].known_children.forker_is_dead()
    assert sorted(heard) == ["first", "second"]


def test_who_asks_to_hear_of_orphans_again_hears_once() -> None:
    children, heard = KnownChildren(), list[str]()

    def hear() -> None:
        heard.append("orphans")

    children.on_orphans(hear)
    children.on_orphans(hear)
    children.forker_is_dead()
    assert heard == ["orphans"]
