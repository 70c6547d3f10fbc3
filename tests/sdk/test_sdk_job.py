"""What a block may know about its job."""

import dataclasses
import time
from pathlib import Path

import pytest

from sdk import JobMeta


def meta(deadline: float | None) -> JobMeta:
    return JobMeta("j", "p/n:1.0.0", None, deadline, Path("/nowhere"))


def test_the_remaining_time_counts_down_to_the_deadline() -> None:
    remaining = meta(time.monotonic() + 1000).remaining_seconds()
    assert remaining is not None
    assert 900 < remaining <= 1000


def test_after_the_deadline_no_time_remains() -> None:
    assert meta(time.monotonic() - 1).remaining_seconds() == 0.0


def test_without_a_deadline_there_is_no_remaining_time() -> None:
    assert meta(None).remaining_seconds() is None


def test_a_block_can_not_change_the_facts_of_its_job() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        meta(None).job_id = "other"
