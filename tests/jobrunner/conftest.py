"""One job host for the tests of jobs and their ends."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "hosting"))

from hosting import Host, hosted  # found by the line above

from tests.lateness import Slowness, measured_slowness


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host whose children are forks of a template, with one spare."""
    with hosted(tmp_path_factory.mktemp("host"), spares=1) as host:
        yield host


@pytest.fixture(scope="module")
def slowness() -> Iterator[Slowness]:
    """How slow the machine is meanwhile. Not for longer: it takes a tenth of each processor."""
    with measured_slowness() as slowness:
        yield slowness
