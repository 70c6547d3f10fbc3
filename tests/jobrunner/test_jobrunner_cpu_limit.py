"""The CPU limit of real jobs without cgroups: the time of every process counts, wherever the job has it run."""

import pytest
from hosting import TAKES_ITS_STACK, Host

LIMIT_SECONDS = 0.4
LIMITS = {"max_job_cpu_seconds": LIMIT_SECONDS, "grace_seconds": 0.1}


@pytest.mark.parametrize("name", ["busy_loop", "busy_threads", "busy_grandchild", "busy_short_lived"])
def test_a_job_is_ended_at_its_cpu_limit_whatever_uses_it(host: Host, name: str) -> None:
    done = host.run(f"under_test/{name}", limits=LIMITS, do=TAKES_ITS_STACK)
    assert (done["success"], done["cause"], done["limit"]) == (False, "cpu_limit", "cpu"), done["message"]
    assert done["measured"] > LIMIT_SECONDS
    assert done["cpu_seconds"] >= done["measured"], "the result says less than what the limit was passed by"
    assert "at its CPU limit of 0.4 s: its processes used" in done["message"]
    assert "raise --max-job-cpu-seconds" in done["message"]
    assert "cpu_blocks.py" in done["stack"], "where the time went"


def test_a_job_at_its_cpu_limit_is_cancelled_and_can_clean_up(host: Host) -> None:
    done = host.run("under_test/busy_threads", limits=LIMITS | {"grace_seconds": 5.0})
    assert done["cause"] == "cpu_limit"
    assert "cleaned up" in [line["text"] for line in done["lines"]]


def test_a_job_that_waits_is_never_at_its_cpu_limit(host: Host) -> None:
    """Also not by what its child has used as a spare, before its order."""
    done = host.run("under_test/sleeps_awhile", limits={"max_job_cpu_seconds": 0.3})
    assert (done["cause"], done["warning"]) == ("completed", None), done["message"]


def test_without_a_cpu_limit_a_job_may_use_what_it_wants(host: Host) -> None:
    done = host.run("under_test/busy_loop", limits={"max_job_seconds": 1.0, "grace_seconds": 0.1})
    assert done["cause"] == "time_limit"
