"""The body of a poll: what the engine reads, written once for each set of blocks."""

import json
from unittest.mock import patch

from supervisor.engine import poll_body
from supervisor.engine.poll_body import SETS_KEPT, PollBodies
from tests.programs.fuzz.fakes import block_entry

BLOCKS = tuple(block_entry().model_copy(update={"name": f"block{number}"}) for number in range(20))


def test_the_body_names_each_block_the_worker_and_how_many_jobs_it_takes() -> None:
    bodies = PollBodies()
    for limit in (1, 7):
        body = json.loads(bodies.body(BLOCKS[:2], 'a "worker"', limit))
        assert [each["name"] for each in body.pop("functionBlockIds")] == ["block0", "block1"]
        assert body == {"workerId": 'a "worker"', "limit": limit}
    assert json.loads(bodies.body((), "w", 1))["functionBlockIds"] == []


def test_a_set_that_comes_back_is_not_written_anew_and_never_taken_for_another() -> None:
    bodies = PollBodies()
    sets = [BLOCKS, BLOCKS[1:], BLOCKS[:-1], BLOCKS]
    names = [
        [each["name"] for each in json.loads(bodies.body(each, "w", 1))["functionBlockIds"]] for each in sets
    ]
    assert names == [[block.name for block in each] for each in sets]
    with patch.object(poll_body, "versionable", side_effect=AssertionError("written anew")):
        for each in sets:
            bodies.body(list(each), "w", 1)


def test_sets_of_blocks_that_are_gone_are_not_kept_nor_more_than_a_few() -> None:
    bodies = PollBodies()
    for left_out in range(len(BLOCKS)):
        bodies.body(BLOCKS[:left_out] + BLOCKS[left_out + 1 :], "w", 1)
    assert len(bodies._sets) == SETS_KEPT
    bodies.body(tuple(block.model_copy(update={"name": f"new-{block.name}"}) for block in BLOCKS), "w", 1)
    assert len(bodies._sets) == 1
