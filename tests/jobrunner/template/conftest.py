"""One job host for the tests of the template's rules."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "hosting"))

from hosting import Host, hosted  # found by the line above


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host whose children are forks of a template, with one spare."""
    with hosted(tmp_path_factory.mktemp("host"), spares=1) as host:
        yield host
