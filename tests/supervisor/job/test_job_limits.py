"""What a job may take: the tighter of the worker's limit and its block's, and whose that is."""

from typing import Any

import pytest

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.job.job import limits_for
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import LimitKind, Limits

pytestmark = pytest.mark.pure


def limits(settings: dict[str, Any], **block: Any) -> Limits:
    entry = BlockEntry.model_construct(
        **{"max_seconds": None, "max_memory_mb": None, "max_cpu_seconds": None, **block}
    )
    return limits_for(RunSettings(_cli_parse_args=False, **settings), entry)


@pytest.mark.parametrize(
    ("workers", "blocks", "seconds", "is_by_block"),
    [(60, None, 60, False), (60, 20, 20, True), (60, 60, 60, False), (60, 61, 60, False), (60, 0, 60, False)],
)
def test_the_tighter_time_limit_counts(
    workers: float, blocks: float | None, seconds: float, is_by_block: bool
) -> None:
    found = limits({"max_job_seconds": workers}, max_seconds=blocks)
    assert found.max_seconds == seconds
    assert (LimitKind.TIME in found.by_block) is is_by_block
    assert LimitKind.MEMORY not in found.by_block


@pytest.mark.parametrize(
    ("workers", "blocks", "memory_mb", "is_by_block"),
    [
        (None, None, None, False),
        (None, 64, 64, True),
        (128, None, 128, False),
        (128, 64, 64, True),
        (64, 64, 64, False),
        (64, 128, 64, False),
    ],
)
def test_the_tighter_memory_limit_counts_and_there_may_be_none(
    workers: float | None, blocks: float | None, memory_mb: float | None, is_by_block: bool
) -> None:
    found = limits({"max_job_memory_mb": workers}, max_memory_mb=blocks)
    assert found.memory_mb == memory_mb
    assert (LimitKind.MEMORY in found.by_block) is is_by_block
    assert LimitKind.TIME not in found.by_block


@pytest.mark.parametrize(
    ("workers", "blocks", "seconds", "is_by_block"),
    [
        (None, None, None, False),
        (None, 0.5, 0.5, True),
        (60, None, 60, False),
        (60, 5, 5, True),
        (5, 60, 5, False),
    ],
)
def test_the_tighter_cpu_limit_counts_and_there_may_be_none(
    workers: float | None, blocks: float | None, seconds: float | None, is_by_block: bool
) -> None:
    found = limits({"max_job_cpu_seconds": workers}, max_cpu_seconds=blocks)
    assert found.cpu_seconds == seconds
    assert (LimitKind.CPU in found.by_block) is is_by_block
    assert LimitKind.TIME not in found.by_block
