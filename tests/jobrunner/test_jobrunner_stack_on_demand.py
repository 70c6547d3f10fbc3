"""The stack of a job that runs, for a person who asks: the job goes on, and its end is told as if nobody had asked."""

import os
import re
import signal
from collections.abc import Callable
from typing import Any

from hosting import TAKES_ITS_STACK, Host

from supervisor.watch.stack_on_demand import BEING_ENDED, DEAF, STOPPED
from tests.patience import PATIENCE_SECONDS, wait_until

Seen = dict[str, Any]

PATIENT = {"max_job_seconds": 2 * PATIENCE_SECONDS}
"""Each job is ended when it has been seen. Beside a machine that stands still, its own limit would come first."""


def ask_until(host: Host, job: int, holds: Callable[[Seen], object], callers: int = 1) -> list[Seen]:
    """Ask again until the job is where it is to be looked at."""

    seen: list[Seen | None] = []

    def ask() -> list[Seen] | None:
        seen[:] = host.ask("stack", of=job, callers=callers)["seen"]
        told = [each for each in seen if each is not None]
        return told if len(told) == callers and all(map(holds, told)) else None

    return wait_until(ask, lambda: f"the job is seen so; what was seen last: {seen}")


def end(host: Host, job: int) -> Seen:
    """End it, and return what was observed."""
    host.ask("end_now", of=job)
    return host.wait(job)


def test_a_job_that_awaits_shows_its_tasks_each_time_and_its_result_shows_them_once(host: Host) -> None:
    job = host.start(
        "under_test/hangs_awaiting", parameters={"text": "gather"}, limits=PATIENT, do=TAKES_ITS_STACK
    )
    for _ in range(3):
        (seen,) = ask_until(host, job, lambda told: "Awaiting in task block" in told["stack"])
        assert seen["stack"].count("in ask_one") == 1
        # On a busy machine the block may be just running: it is the current thread then.
        assert re.search(r"MainThread|\b[Tt]hread 0x", seen["stack"])
        assert seen["why_not"] == seen["kernel"] == ""
    stack = end(host, job)["stack"]
    assert stack.count("in ask_one") == stack.count("in ask_another") == 1, stack


def test_what_a_job_awaits_at_its_cancellation_is_told_though_a_person_has_seen_it_before(host: Host) -> None:
    job = host.start(
        "under_test/hangs_awaiting", parameters={"text": "run"}, limits=PATIENT, do=TAKES_ITS_STACK
    )
    ask_until(host, job, lambda told: "Awaiting in task block" in told["stack"])
    host.ask("cancel_now", of=job)
    stack = host.wait(job)["stack"]
    assert stack.count("in run") == 1, stack


def test_a_job_under_whose_c_code_nothing_else_runs_shows_where_it_is_and_is_not_stopped(host: Host) -> None:
    job = host.start("gil_hog", parameters={"mode": "power"}, limits=PATIENT, do=TAKES_ITS_STACK)
    for _ in range(2):
        (seen,) = ask_until(host, job, lambda told: "hangs.py" in told["stack"])
        assert seen["stack"].count("in run") == 1
    assert end(host, job)["stack"].count("in run") == 1


def test_the_other_processes_of_a_job_are_listed_with_name_and_state_and_go_on(host: Host) -> None:
    job = host.start("ignore_sigterm_tree", parameters={"marker": "stack"}, limits=PATIENT)

    def oldest(told: Seen) -> Seen:
        return next(iter(told["processes"]), {"name": "", "state": ""})

    # The oldest one stays. Those behind it come and go, until one of them is a daemon.
    (seen,) = ask_until(host, job, lambda told: oldest(told)["name"].startswith("python"))
    assert seen["pid"] not in [each["pid"] for each in seen["processes"]]
    assert oldest(seen)["state"] in "RSD"
    os.kill(oldest(seen)["pid"], signal.SIGSTOP)
    (stopped,) = ask_until(host, job, lambda told: oldest(told)["state"] == "T")
    assert oldest(stopped)["pid"] == oldest(seen)["pid"]
    end(host, job)


def test_several_who_ask_at_once_get_one_answer_of_one_look(host: Host) -> None:
    job = host.start("under_test/hangs_awaiting", parameters={"text": "run"}, limits=PATIENT)
    told = ask_until(host, job, lambda told: "Awaiting in task block" in told["stack"], callers=5)
    assert len({each["stack"] for each in told}) == 1
    assert told[0]["stack"].count("Awaiting in task block") == 1
    end(host, job)


def test_a_job_that_blocks_the_signal_is_told_by_the_kernel_and_gets_no_signal_that_would_wait(
    host: Host,
) -> None:
    job = host.start("under_test/blocks_signals", limits=PATIENT)
    (seen,) = ask_until(host, job, lambda told: told["why_not"] == DEAF)
    assert seen["stack"] == ""
    assert seen["kernel"].startswith("Its process was ")
    with open(f"/proc/{seen['pid']}/status") as status:
        (pending,) = (line.split()[1] for line in status if line.startswith("ShdPnd"))
    assert int(pending, 16) == 0
    end(host, job)


def test_a_stopped_job_is_said_to_be_stopped_and_not_signalled(host: Host) -> None:
    job = host.start("under_test/stops_itself", limits=PATIENT)
    (seen,) = ask_until(host, job, lambda told: told["why_not"] == STOPPED)
    assert "stopped" in seen["kernel"]
    end(host, job)


def test_a_job_that_ends_meanwhile_is_said_to_end_or_is_unknown_and_its_result_stands(host: Host) -> None:
    job = host.start(
        "under_test/hangs_awaiting", parameters={"text": "run"}, limits=PATIENT, do=TAKES_ITS_STACK
    )
    ask_until(host, job, lambda told: "Awaiting in task block" in told["stack"])
    host.send("cancel_now", of=job)
    answers = []
    while (seen := host.ask("stack", of=job)["seen"][0]) is not None:
        answers.append(seen)
    assert all(each["stack"] or each["why_not"] == BEING_ENDED for each in answers), answers
    assert host.wait(job)["stack"].count("in run") == 1


def test_the_main_thread_is_shown_beside_more_threads_than_are_told_of_at_once(host: Host) -> None:
    parameters = {"times": 120, "seconds": 3600.0}
    job = host.start(
        "under_test/crashes_beside_threads", parameters=parameters, limits=PATIENT, do=TAKES_ITS_STACK
    )
    asleep = re.compile(r'stalling_blocks\.py", line \d+ in run$', re.MULTILINE)

    def is_whole(told: Seen) -> bool:
        return told["stack"].count("in _worker") >= 99 and asleep.search(told["stack"]) is not None

    ask_until(host, job, is_whole)
    assert asleep.search(end(host, job)["stack"])


def test_a_job_that_is_starting_and_ending_threads_is_not_harmed_by_who_looks_at_it(host: Host) -> None:
    """faulthandler reads what these threads are just changing, and crashes at times."""
    job = host.start("under_test/starts_threads", parameters={"seconds": 4.0}, limits=PATIENT)
    ask_until(host, job, lambda told: told["stack"])
    while host.ask("stack", of=job)["seen"][0] is not None:
        pass
    done = host.wait(job)
    assert done["cause"] == "completed", done["message"]
