"""Clearing what dead children left behind."""

from collections.abc import Iterator

import pytest
from hosting import Host, hosted


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosted(tmp_path_factory.mktemp("sweeping")) as host:
        yield host


def test_of_two_sweeps_at_once_each_kills_its_own_and_signals_nothing_that_was_waited_for(host: Host) -> None:
    """The number of a process that was waited for may be a stranger's by then."""
    seen = host.ask("two_sweeps_at_once")
    assert seen["strangers"] == []
    assert seen["killed"] == [2, 2]
