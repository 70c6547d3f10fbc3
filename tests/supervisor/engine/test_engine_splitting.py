"""A poll's answer that no parser takes as a whole: its jobs are claimed, so each is read for itself."""

import json
from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrunner.protocol.masking import secrets_in
from jobrunner.protocol.masking.names import BUILT_IN
from supervisor.engine.item_splitter import RawList, split_in_steps
from supervisor.engine.items import MalformedJob, parse_items
from supervisor.engine.large_poll import Poll, read_in_steps
from supervisor.job.job import Job
from supervisor.job.json_secrets import secrets_in_steps

T = TypeVar("T")

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


def outcome_of(steps: Generator[None, None, T]) -> T:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: T = end.value
        return result


def read_item_by_item(body: bytes) -> Poll | None:
    return outcome_of(read_in_steps(body))


def split_list(body: bytes) -> RawList | None:
    return outcome_of(split_in_steps(body))


def test_a_job_that_can_not_be_read_takes_no_other_along() -> None:
    good = json.dumps(GOOD)
    poll = read_item_by_item(f"[{good}, {LONG_NUMBER}, {DEEP}, {good}]".encode())
    assert poll is not None
    assert poll.complete
    first, long, deep, last = poll.jobs
    assert isinstance(first, Job)
    assert first == last
    assert json.loads(b"".join(first.payload()))["parameters"] == GOOD["parameters"]
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


jobs = st.fixed_dictionaries(
    {
        "jobId": st.text(min_size=1, max_size=5) | st.integers(),
        "functionBlockId": st.just("p/b:1.0.0"),
        "type": st.sampled_from(["execute", "rollback", "other"]),
        "runOn": st.just("global"),
        "parameters": st.dictionaries(st.text(), values, max_size=4) | values,
        "context": st.dictionaries(st.text(), values, max_size=4),
    },
    optional={"entityId": st.integers() | st.none(), "stepLabel": st.text(max_size=5), "newField": values},
)


@given(st.lists(jobs | values, max_size=3))
def test_a_large_answer_is_read_as_a_small_one_with_its_parameters_as_text(items: list[object]) -> None:
    poll = read_item_by_item(json.dumps(items).encode())
    assert poll is not None
    assert poll.complete
    small = parse_items(items)
    assert [job.job_id for job in poll.jobs] == [job.job_id for job in small]
    for large, job in zip(poll.jobs, small, strict=True):
        assert isinstance(large, Job) == isinstance(job, Job)
        if isinstance(large, Job) and isinstance(job, Job):
            assert replace(large, parameters=job.parameters, context=job.context) == job
            assert json.loads(b"".join(large.payload())) == json.loads(b"".join(job.payload()))


def test_a_job_that_is_larger_than_an_order_may_be_is_refused_by_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor.engine.large_poll.JOB_CAP_BYTES", 3 << 20)
    large = {**GOOD, "jobId": "large", "context": {"text": "x" * (4 << 20)}}
    poll = read_item_by_item(json.dumps([GOOD, large]).encode())
    assert poll is not None
    good, refused = poll.jobs
    assert isinstance(good, Job)
    assert isinstance(refused, MalformedJob)
    assert (refused.job_id, refused.reason) == (
        "large",
        "The engine sent a job of 4 MB; this worker takes at most 3.",
    )


names = st.sampled_from(["password", "a", "token", "*", "hosts", "\u00e9\n"])
documents = st.dictionaries(
    names,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.just("https://u:p%20w@h/"),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=25,
    ),
)
paths = st.lists(st.lists(names, min_size=1, max_size=4).map(tuple), max_size=3)


@given(documents, paths)
def test_the_secrets_in_a_text_are_those_in_what_it_says(
    document: dict[str, object], paths: list[tuple[str, ...]]
) -> None:
    found = outcome_of(secrets_in_steps(json.dumps(document).encode(), BUILT_IN, paths))
    assert found == set(secrets_in(document, BUILT_IN, paths))
