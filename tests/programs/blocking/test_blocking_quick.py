"""The campaign in short: `make blocking` runs a thousand jobs that await properly."""

from collections.abc import Iterator

import pytest

from tests.hosting.hosting import Host, hosted
from tests.patience import PATIENCE_SECONDS
from tests.programs.blocking import campaign
from tests.programs.blocking.cases import Case, behaving, misbehaving

# Eight jobs that compute share the processors of a machine that may have others to serve.
LIMITS = {"max_job_seconds": 2 * PATIENCE_SECONDS, "blocking_seconds": 0.5}
pytestmark = pytest.mark.timeout(10 * PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A worker without an engine, with the blocks of the campaign."""
    with hosted(
        tmp_path_factory.mktemp("blocking"), sources=campaign.SOURCES, spares=4, limits=LIMITS
    ) as host:
        assert host.problems == []
        yield host


def test_jobs_that_await_properly_are_not_reported(host: Host) -> None:
    seen = campaign.run(host, behaving(24))
    assert {each.case.name: each.problems for each in seen if each.problems} == {}


@pytest.mark.parametrize("case", misbehaving(), ids=lambda case: case.name)
def test_code_that_blocks_is_reported_once_for_each_line_with_the_example(host: Host, case: Case) -> None:
    assert case.places
    (seen,) = campaign.run(host, [case])
    assert seen.problems == []
