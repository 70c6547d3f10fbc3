"""The heap of a template: what its children share, no collection of theirs looks at."""

import gc

from jobrunner import heap
from tests.jobrunner.isolation.apart import in_a_fork


def test_what_is_frozen_no_collection_looks_at() -> None:
    def work() -> list[str]:
        held = [[number] for number in range(1000)]
        heap.freeze()
        return [str(gc.get_freeze_count() >= len(held)), str(len(gc.get_objects()) < len(held))]

    assert in_a_fork(work) == ["True", "True"]
