"""Where the tests of cgroups find the job host, and what this machine offers."""

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3] / "hosting"))

from supervisor.process.cgroups.cgroup import Role, Tree
from supervisor.process.cgroups.detection import Detected, detect, own_cgroups
from supervisor.process.cgroups.files import kill_and_remove

_numbers = itertools.count(1)


def detected_here() -> Detected:
    """What a worker would find here. The caller removes it."""
    return detect(own_cgroups(), f"neops-test-{os.getpid()}-{next(_numbers)}", set())


@pytest.fixture
def trees() -> Iterator[tuple[Tree, ...]]:
    """Directories to make cgroups in; skips where there can be none, and removes them."""
    detected = detected_here()
    if not detected.trees:
        pytest.skip(f"no cgroup can be made here: {'; '.join(detected.reasons)}")
    yield detected.trees
    left = [tree.directory for tree in detected.trees if not kill_and_remove(tree.directory, 5)[1]]
    detected.give_back()
    assert left == []


@pytest.fixture
def need() -> Callable[[Role], None]:
    """Skip where cgroups with this role can't be made."""

    def check(role: Role) -> None:
        detected = detected_here()
        detected.give_back()
        if not any(role in tree.roles for tree in detected.trees):
            pytest.skip(
                f"no cgroup with {role} can be made here: {'; '.join(detected.reasons) or 'no controller'}"
            )

    return check
