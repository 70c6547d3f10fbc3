"""The bounds: each limits what a job, a disk or another process can make the worker hold, read or try again.

None changes by accident. Those of what passes between processes are in `tests/jobrunner/test_protocol_caps.py`.
"""

from jobrunner import awaits, containment, job, log_fields, masking, rehearsal, ticker
from jobrunner.discovery import code_digest, judgement, source_text
from jobrunner.protocol import catalogue, control
from jobrunner.protocol.masking import effort, keyed, needles
from supervisor.journal import (
    accepted_results,
    dead_texts,
    directory,
    durable_copy,
    outside_changes,
    place_record,
    schema,
    trouble,
)
from supervisor.launcher import (
    channel_stream,
    child,
    importer,
    job_users,
    known_children,
    process_groups,
    session_holders,
    shared_directories,
    spare_pool,
    sweep,
    user_leftovers,
    wiring,
)
from supervisor.lifecycle import durations, intake, quarantine
from supervisor.process import (
    birth_time,
    links,
    machine,
    memory,
    notification_relay,
    open_files,
    output,
    pipe_ends,
    shared_memory,
    small_file,
    systemd,
    user_numbers,
)
from supervisor.process.cgroups import cgroup
from supervisor.verdict import changes, wording
from supervisor.watch import (
    blocking,
    joblog,
    kernel,
    long_dump,
    other_processes,
    running_stack,
    stack,
    stack_on_demand,
    task_count_probe,
)

KIB, MIB = 1024, 1024 * 1024


def test_what_is_said_of_a_job_is_bounded() -> None:
    assert (awaits._DEPTH, awaits._THREADS, awaits._PLACES, awaits._TASKS) == (50, 20, 20, 1000)
    assert (blocking.MOST_PLACES, other_processes.MOST_SHOWN, job_users._MOST_TOLD) == (20, 50, 5)
    assert (kernel._STACK_LINES, kernel._WORD_CHARS) == (8, 64)
    assert (log_fields._NAME_CAP_CHARS, log_fields._LARGEST_NUMBER) == (100, 2**53)
    assert (joblog.LINES_A_SECOND, joblog.BURST_LINES, joblog._LINE_CHARS, joblog._LINE_UNITS) == (
        200,
        2000,
        1024,
        5000,
    )
    assert (joblog._LAST_OUTPUT_CHARS, child._LAST_WORDS_BYTES) == (4096, 4096)
    assert (stack._CAP_BYTES, wiring.DUMP_BYTES) == (64 * KIB, MIB)
    assert (long_dump._PIECE_BYTES, long_dump._END_BYTES) == (8 * KIB, 32 * KIB)
    assert (running_stack._MOST_THREADS_ASKED, running_stack._MOST_THREADS) == (64, 128)


def test_what_is_read_at_once_is_bounded() -> None:
    assert (pipe_ends.READ_BYTES, output._TAIL_BYTES, output._LINE_CAP_BYTES) == (64 * KIB, 64 * KIB, 8 * KIB)
    assert (channel_stream._READ_BYTES, channel_stream.MOST_UNREAD_BYTES) == (256 * KIB, 128 * KIB)
    assert (output._LAST_READS, channel_stream._PIECES, pipe_ends._LAST_WORDS_READS) == (64, 64, 16)
    assert (small_file._MOST_BYTES, machine._MOST_BYTES, systemd.MAX_BYTES) == (64 * KIB, 4096, 2048)
    assert (source_text.LARGEST_BYTES, code_digest._MOST_FILES, judgement.SPARE_BYTES) == (
        MIB,
        2000,
        1_000_000,
    )
    assert (memory.MAPS_BYTES, memory._WORTH_A_LOOK_BYTES) == (MIB, MIB)
    assert (dead_texts.MOST_BYTES, outside_changes._AT_A_TIME_BYTES) == (16 * MIB, 16 * MIB)
    assert (birth_time._BYTES, job._LARGE_BYTES, rehearsal._RESULT_CAP_BYTES) == (256, 256 * KIB, 64 * KIB)


def test_what_is_looked_through_is_bounded() -> None:
    assert (shared_directories.MOST_LEVELS, shared_directories._MOST_DIRECTORIES) == (5, 20_000)
    assert (user_leftovers._MOST_SEEN, user_leftovers._MOST_REMOVED, user_leftovers._AT_A_TIME) == (
        1_000_000,
        100_000,
        32,
    )
    assert (shared_memory._MOST_LINKS, shared_memory._LEAST_LINKS, links._MOST_LINKS) == (2000, 16, 40)
    assert (other_processes._MOST_TASKS, open_files._MOST, user_numbers._MOST) == (4096, 65_536, 4096)
    assert (task_count_probe._FEWEST, sweep._MOST_ON_THE_LOOP) == (32, 8)


def test_what_one_job_or_worker_may_have_is_bounded() -> None:
    assert (process_groups._MOST_GROUPS, process_groups._RESERVED_DESCRIPTORS) == (512, 128)
    assert (containment._RESERVED_PROCESSES, containment._NICENESS) == (64, 5)
    assert (session_holders.MOST, notification_relay._MOST_WAITING, masking._MASKS_KEPT) == (16, 16, 4)
    assert (control._DESCRIPTORS_PER_CHILD, control._HIGHEST_PID) == (4, 2**22)
    assert (catalogue._KEY_CAP_CHARS, catalogue._STEPS_CAP, catalogue._PATHS_CAP) == (1000, 50, 1000)
    assert rehearsal._TIMES_IN_A_TEMPLATE == 12
    assert (accepted_results.SLOTS, accepted_results._FILE_BYTES) == (1023, 32 * KIB)


def test_what_fails_is_tried_again_a_few_times() -> None:
    assert (directory._TRIES, durable_copy.REOPEN_AFTER_TRIES, trouble.QUIET_MENDS) == (5, 3, 30)
    assert (schema.BUSY_MILLISECONDS, cgroup._REMOVE_TRIES, known_children._MOST_LOOKS) == (5000, 5, 3)
    assert (importer._TRIES_AFTER_SIGKILL, spare_pool._YOUNG_DEATHS) == (3, 2)
    assert (stack_on_demand._TRIES, running_stack._DEAF_LOOKS, running_stack._MOST_LOOKS) == (4, 5, 12)
    assert (ticker._IDLE_TICKS, ticker._SHORTEST_SLEEP_TICKS) == (4, 2)


def test_what_later_versions_must_read_says_its_version() -> None:
    assert place_record._VERSION == 1
    assert accepted_results._HEAD.startswith(b"neops-supervisor accepted 1\n")
    assert code_digest.DIGEST_CHARS == 12


def test_what_a_job_is_given_at_its_end_is_bounded() -> None:
    assert (durations.LINGER_SECONDS, durations.STACK_SECONDS, durations.FREEZE_SECONDS) == (2, 0.25, 4)
    assert (durations.CLOSED_CHANNEL_SECONDS, durations.UNKILLABLE_SECONDS, durations.DRAIN_SECONDS) == (
        0.5,
        5,
        1,
    )
    assert durations.MOST_WAITS == 11
    assert (quarantine.DEATHS, quarantine.QUARANTINE_SECONDS, quarantine.MOST_JOBS) == (3, 3600, 1000)
    assert (wording._STACK_CAP_CHARS, wording._OUTPUT_CAP_CHARS, changes.MOST_TOLD) == (2500, 1000, 5)


def test_what_an_operator_may_ask_for_is_bounded() -> None:
    assert (intake.LONGEST_PAUSE_SECONDS, intake.LONGEST_NOTE_CHARS) == (30 * 24 * 60 * 60, 200)


def test_the_work_that_masking_does_for_one_job_is_bounded() -> None:
    assert (effort.AT_ONCE_UNITS, effort.MOST_UNITS, effort._BETWEEN_PAUSES_UNITS) == (
        200_000,
        8_000_000,
        20_000,
    )
    assert (needles._ADDED_AT_ONCE, needles._FILED_AT_ONCE, needles._SORTED_AT_ONCE) == (5000, 2000, 100)
    assert keyed._MOST_EXPRESSIONS == 64
