"""How long the worker waits where it looks again and again, has a turn, or gives something up.

The figures themselves are measured (`make bench`). What is held here is what they are for: a pause on a job's way must
not be seen in the job's time, what is given up must not take longer than who waits for it, and nothing looks so often
that an idle worker is busy.
"""

from jobrunner import blocking as jobrunner_blocking
from jobrunner import bootstrap, channel, child_coverage, device_sessions, masking, rehearsal, stdio
from supervisor.job import channel as job_channel
from supervisor.job import runner
from supervisor.journal import directory, durable_copy, maintenance, state_directory, store, write_timeout
from supervisor.journal import removals as journal_removals
from supervisor.launcher import (
    endings,
    importer,
    job_users,
    repeating_failure,
    session_holders,
    spare_pool,
    spawn_launcher,
    strays,
    sweep,
    sweep_rounds,
    template,
    user_leftovers,
)
from supervisor.process import (
    disk_thread,
    long_work,
    memory,
    names,
    notification_relay,
    output,
    pipe_ends,
    proc,
    tasks,
    threads,
)
from supervisor.process.cgroups import cgroup, files, leftovers, worker
from supervisor.process.cgroups import removals as cgroups_removals
from supervisor.watch import (
    blocking,
    cpu,
    freeze,
    joblog,
    look,
    process_counter,
    rounds,
    running_stack,
    sampler,
    stack,
    stack_on_demand,
)


def not_about(most_seconds: float, seconds: dict[str, float]) -> dict[str, float]:
    """Return those that are longer, and those that are not even a tenth of it: looks that often cost for nothing."""
    return {name: value for name, value in seconds.items() if not most_seconds / 10 < value <= most_seconds}


def test_what_each_job_may_wait_for_is_looked_at_each_millisecond() -> None:
    looks = {
        "a child's channel has room again": channel._LOOK_AGAIN_SECONDS,
        "a child's standard output has room again": stdio._LOOK_SECONDS,
        "a frame of a job counts as waited for": job_channel._WAITED_SECONDS,
        "all processes of a job stand still": proc._PAUSE_SECONDS,
        "a killed process is dead": endings._FIRST_PAUSE_SECONDS,
        "nothing of a job's tree is left": sweep._PAUSE_SECONDS,
        "long work goes on": long_work._PAUSE_SECONDS,
        "a cgroup that was killed is empty": cgroup._REMOVE_PAUSE_SECONDS,
        "the next of a user's files has its turn": user_leftovers._PAUSE_SECONDS,
    }
    assert not_about(0.001, looks) == {}


def test_what_some_jobs_wait_for_is_looked_at_each_hundredth_of_a_second() -> None:
    looks = {
        "a stack is written": stack._LOOK_SECONDS,
        "a cgroup's file lets itself be written": files._PAUSE_SECONDS,
        "the rest of a job's output": output._WAIT_SECONDS,
        "a user's last process": job_users._PAUSE_SECONDS,
    }
    assert not_about(0.01, looks) == {}


def test_no_portion_of_work_holds_a_loop_for_longer_than_twenty_milliseconds() -> None:
    portions = {
        "frames of one job": job_channel.TURN_SECONDS,
        "lines of one job": output._TURN_SECONDS,
        "long work": long_work._PORTION_SECONDS,
        "a round of a sweep": sweep_rounds._ROUND_SECONDS,
        "what a child prints": stdio._TURN_SECONDS,
    }
    assert not_about(0.02, portions) == {}


def test_what_nobody_waits_for_is_done_within_a_fifth_of_a_second() -> None:
    waits = {
        "rows of jobs that are over are removed": journal_removals.REMOVE_SECONDS,
        "empty cgroups are removed": cgroups_removals.REMOVE_SECONDS,
        "a state directory that somebody looks at": directory._PAUSE_SECONDS,
        "a journal that was quiet is wiped": maintenance.QUIET_SECONDS,
        "a stray is looked for": strays._PAUSE_SECONDS,
        "the next round of strays": strays._ROUND_SECONDS,
        "a process that was just started": sweep._START_PAUSE_SECONDS,
        "the number of tasks is looked at": process_counter.LOOK_SECONDS,
        "coverage of a child is saved": child_coverage._SAVE_SECONDS,
        "a thread listens for its session": device_sessions._LISTEN_SECONDS,
        "the last lines of a reader": output._LAST_SECONDS,
        "a pipe that is held up": pipe_ends.HELD_UP_SECONDS,
        "looks that are due together": sampler._TOGETHER_SECONDS,
        "the shortest call that blocks": blocking._LEAST_SECONDS,
        "what tasks await": stack._AWAITS_SECONDS,
        "a late answer": stack_on_demand._LATE_LOOK_SECONDS,
    }
    assert not_about(0.2, waits) == {}
    short = {
        "a loop that does not answer": running_stack._DEAF_LOOK_SECONDS,
        "threads that may come to rest": running_stack._LOOK_SECONDS,
    }
    assert not_about(0.02, short) == {}


def test_work_goes_on_within_a_second_after_the_end_of_a_fault() -> None:
    pauses = {
        "of a pool of children": spare_pool._LONGEST_PAUSE_SECONDS,
        "of a template": template._LONGEST_PAUSE_SECONDS,
        "of what does not die": endings._LONGEST_PAUSE_SECONDS,
        "of a look for strays": strays._NO_LOOK_PAUSE_SECONDS,
        "of a clean-up after a user": job_users._TRY_AGAIN_SECONDS,
        "of a report of a call that blocks": blocking._RETRY_SECONDS,
        "of the child's own": jobrunner_blocking._RETRY_SECONDS,
        "of a journal that hangs": write_timeout.LOOK_SECONDS,
    }
    assert not_about(1, pauses) == {}


def test_the_first_try_after_a_fault_is_made_at_once_and_the_last_ones_are_not_rare() -> None:
    first = {
        "of a pool of children": spare_pool._FIRST_PAUSE_SECONDS,
        "of a template": template._FIRST_PAUSE_SECONDS,
        "of a task of the worker": tasks.FIRST_PAUSE_SECONDS,
        "of a word to systemd": notification_relay.RETRY_SECONDS,
    }
    longest = {
        "of a task of the worker": tasks.LONGEST_PAUSE_SECONDS,
        "of a look for strays": strays._LONGEST_PAUSE_SECONDS,
        "of a journal that is mended": durable_copy.MEND_SECONDS,
    }
    assert not_about(0.25, first) == {}
    assert not_about(5, longest) == {}
    rare = {
        "of a clean-up after a user": job_users._LONGEST_PAUSE_SECONDS,
        "of a failure that is told again": repeating_failure.AGAIN_SECONDS,
    }
    assert not_about(60, rare) == {}


def test_each_running_job_is_looked_at_each_second_and_each_sleeping_one_each_minute() -> None:
    looks = {
        "its memory": sampler.IDLE_SECONDS,
        "its processor time": cpu.MOST_PAUSE_SECONDS,
        "its processes": process_counter.COUNT_SECONDS,
        "its session's holder": session_holders._LOOK_SECONDS,
        "what it blocks": blocking._LOOK_SECONDS,
        "lines that were left out": joblog._TELL_SECONDS,
    }
    near = {"its memory": sampler.NEAR_SECONDS, "its processor time": cpu.LEAST_PAUSE_SECONDS}
    sleeping = {"its memory": look.FULL_LOOK_SECONDS, "its processes": process_counter.FULL_COUNT_SECONDS}
    assert not_about(1, looks) == {}
    assert not_about(0.25, near) == {}
    assert not_about(60, sleeping) == {}


def test_one_look_that_takes_long_keeps_no_other_job_unseen() -> None:
    bounds = {
        "a look at one job's memory": memory.LOOK_SECONDS,
        "a look with others": look.SLOW_SECONDS,
        "the same by the clock": look.SLOW_WAIT_SECONDS,
    }
    assert not_about(1, bounds) == {}
    assert not_about(3, {"what people are told of": rounds.LATE_SECONDS}) == {}


def test_what_others_wait_for_meanwhile_is_given_up_within_a_second() -> None:
    bounds = {
        "a killed child": endings.MOMENT_SECONDS,
        "a cgroup that is frozen": freeze._BOUND_SECONDS,
        "a journal that hangs, at the end": store.HANGING_CLOSE_SECONDS,
        "a template that is ended": importer._EXIT_SECONDS,
        "the stack of a template": importer._STACK_SECONDS,
        "a spare that counts as started": spare_pool._YOUNG_SECONDS,
        "real-time priority for the next job": process_counter.IDLE_SECONDS,
        "a rush of jobs": spare_pool.BUSY_SECONDS,
        "a log that is wiped": maintenance.WIPE_EVERY_SECONDS,
    }
    assert not_about(1, bounds) == {}


def test_what_hangs_is_given_up_within_five_seconds() -> None:
    bounds = {
        "a tree that is swept": sweep._BOUND_SECONDS,
        "a stray that does not die": strays._STUCK_SECONDS,
        "a user's last process": job_users._KILL_SECONDS,
        "an answer to who asks for a stack": stack_on_demand.ANSWER_SECONDS,
        "all masking that a job waits for": masking._MOST_WAITING_SECONDS,
        "cgroups of a worker before": leftovers._BOUND_SECONDS,
        "a disk that does not answer": durable_copy.WRITE_TIMEOUT_SECONDS,
        "a state directory that does not answer": state_directory.HANGS_SECONDS,
        "a thread for the disk": disk_thread.LIMIT_SECONDS,
        "reads that are held up at the end of a job": output._HELD_UP_SECONDS,
        "the last words of a child that are held up": pipe_ends._LAST_WORDS_SECONDS,
        "threads at the worker's end": threads.END_SECONDS,
        "the worker's own cgroup": worker._END_SECONDS,
        "a child that nobody adopts": bootstrap._ADOPTION_TIMEOUT_SECONDS,
        "device passwords in a log that is never quiet": maintenance.WIPE_LATEST_SECONDS,
        "a journal's file that was replaced": maintenance.LOOK_EVERY_SECONDS,
        "a holder that is not needed": session_holders.UNUSED_SECONDS,
        "imports that are slow": importer.SLOW_SECONDS,
    }
    assert not_about(5, bounds) == {}


def test_a_start_is_given_up_before_anybody_takes_the_worker_for_dead() -> None:
    starts = {
        "a template that imports": importer.START_SECONDS,
        "an interpreter": spawn_launcher.START_TIMEOUT_SECONDS,
        "a fork": template.START_TIMEOUT_SECONDS,
        "a child that moves into its cgroup": spare_pool.JOIN_SECONDS,
        "a job without a child": runner.START_SECONDS,
        "a free user": job_users._WAIT_SECONDS,
        "a user's shared memory": user_leftovers._SECONDS_OF_OWNER,
        "a rehearsal": rehearsal._LONGEST_SECONDS,
        "a journal that is opened": durable_copy.OPEN_SECONDS,
        "a journal that is closed": store.CLOSE_SECONDS,
    }
    assert not_about(60, starts) == {}
    # Those that come one after the other before a child counts as not started.
    in_a_row = ["a fork", "a free user", "a child that moves into its cgroup"]
    assert sum(starts[name] for name in in_a_row) < spare_pool.LONGEST_START_SECONDS <= 300


def test_what_a_name_server_said_is_asked_again_within_a_minute() -> None:
    assert not_about(60, {"an answer": names.KEPT_SECONDS}) == {}
