"""A poll's answer that no parser takes as a whole: its jobs are claimed, so each is read for itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.engine.api import read_item_by_item
from supervisor.engine.item_splitter import split_list
from supervisor.engine.items import MalformedJob
from supervisor.job.runner import Job

GOOD = {
    "jobId": "good",
    "functionBlockId": "p/b:1.0.0",
    "type": "execute",
    "runOn": "global",
    "parameters": {"jobId": "not this one", "text": 'a ] } " , \\'},
    "context": {},
}
LONG_NUMBER = '{"parameters": {"jobId": "nor this", "n": ' + "9" * 5000 + '}, "jobId": "long"}'
DEEP = '{"jobId": "deep", "parameters": ' + "[" * 5000 + "]" * 5000 + "}"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_a_job_that_can_not_be_read_takes_no_other_along() -> None:
    good = json.dumps(GOOD)
    poll = read_item_by_item(f"[{good}, {LONG_NUMBER}, {DEEP}, {good}]".encode())
    assert poll is not None
    assert poll.complete
    first, long, deep, last = poll.jobs
    assert isinstance(first, Job)
    assert first == last
    assert first.parameters == GOOD["parameters"]
    assert isinstance(long, MalformedJob)
    assert isinstance(deep, MalformedJob)
    assert (long.job_id, deep.job_id) == ("long", "deep")


@pytest.mark.parametrize("cut", [1, 40, len(json.dumps(GOOD))])
def test_of_an_answer_that_breaks_off_the_whole_jobs_are_kept(cut: int) -> None:
    good = json.dumps(GOOD)
    poll = read_item_by_item(f"[{good}, {good}]".encode()[:-cut])
    assert poll is not None
    assert not poll.complete or cut == 0
    assert all(isinstance(job, Job) for job in poll.jobs)
    assert len(poll.jobs) == (2 if cut == 1 else 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'"["',
        b"12",
        b"[\xff\xfe]",
        b"[" * 9999,
        b"[" * 9999 + b"]" * 9999,
        b'[{"a": "b',
    ],
)
def test_what_has_no_whole_job_stays_an_error(body: bytes) -> None:
    assert read_item_by_item(body) is None


@given(st.lists(st.dictionaries(st.text(), values, max_size=4), min_size=1, max_size=4))
def test_every_list_of_objects_is_taken_apart_where_a_parser_would(items: list[dict[str, object]]) -> None:
    split = split_list(json.dumps(items).encode())
    assert split is not None
    assert split.complete
    assert [json.loads(item.text) for item in split.items] == items


@given(st.text(alphabet='[]{},:"\\aj0 ', max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    read_item_by_item(text.encode())
