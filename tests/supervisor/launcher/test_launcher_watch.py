"""Samples of what processes use, and stacks as people read them."""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from supervisor.launcher.environment import job_environment
from supervisor.watch.look import Sample
from supervisor.watch.sampler import NEAR_SECONDS, Sampler
from supervisor.watch.stack import innermost, main_thread_of, tidy
from supervisor.watch.whose_code import ROOT
from tests.patience import PATIENCE_SECONDS

HOLD = """
import subprocess, sys
held = bytearray(30 << 20)
wait = "import sys; sys.stdin.read()"
child = subprocess.Popen([sys.executable, "-c", wait], stdin=subprocess.PIPE)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process with 30 MiB of its own and one child."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process


def no_failure(reason: str) -> None:
    pytest.fail(f"a look failed: {reason}")


async def test_a_sample_counts_private_memory_and_descendants(process: subprocess.Popen[bytes]) -> None:
    sampler, samples = Sampler(), asyncio.Queue[Sample]()
    sampler.watch(process.pid, 1000.0, samples.put_nowait, no_failure)
    sample = await asyncio.wait_for(samples.get(), PATIENCE_SECONDS)
    await sampler.close()
    assert 30 < sample.memory_mb < 100
    assert (sample.threads, sample.descendants) == (2, 1)
    assert sample.cpu_seconds >= 0


async def test_a_job_near_its_limit_is_looked_at_more_often(process: subprocess.Popen[bytes]) -> None:
    sampler, samples = Sampler(), asyncio.Queue[float]()
    loop = asyncio.get_running_loop()
    sampler.watch(process.pid, 32.0, lambda _: samples.put_nowait(loop.time()), no_failure)
    # Nine: each of the looks may be late on a machine that stands still for a moment, but not all of them.
    times = [await asyncio.wait_for(samples.get(), PATIENCE_SECONDS) for _ in range(9)]
    await sampler.close()
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) < 2 * NEAR_SECONDS


async def test_what_was_forgotten_is_not_sampled(process: subprocess.Popen[bytes]) -> None:
    sampler, forgotten, samples = Sampler(), asyncio.Queue[Sample](), asyncio.Queue[Sample]()
    sampler.watch(1, 1.0, forgotten.put_nowait, no_failure)
    sampler.forget(1)
    sampler.watch(process.pid, 1.0, samples.put_nowait, no_failure)
    await asyncio.wait_for(samples.get(), PATIENCE_SECONDS)
    await sampler.close()
    assert forgotten.empty()


PYTHON = os.path.dirname(os.__file__)
DUMP = f"""\
Thread 0x00007f0000000001 (most recent call first):
  File "{PYTHON}/threading.py", line 359 in wait
  File "/opt/jobs/lib.py", line 4 in poll
  File "{PYTHON}/threading.py", line 1012 in _bootstrap

Current thread 0x00007f0000000002 (most recent call first):
  File "/opt/lib/python3.13/site-packages/paramiko/channel.py", line 10 in recv
  File "/opt/jobs/show.py", line 20 in run
  File "{ROOT}/sdk/calls.py", line 42 in call
  File "{ROOT}/jobrunner/job.py", line 90 in run_order

Extension modules: _cffi_backend, psutil._psutil_linux (total: 2)
"""


def test_the_worker_s_own_frames_below_the_block_are_dropped() -> None:
    assert ROOT not in tidy(DUMP)
    assert "Extension modules" not in tidy(DUMP)
    assert 'show.py", line 20 in run' in tidy(DUMP)
    assert 'lib.py", line 4 in poll' in tidy(DUMP)


@pytest.mark.parametrize("folder", ["sdk", "sdk/concurrency", "jobrunner", "multiprocess"])
def test_an_author_s_folder_that_is_called_as_one_of_ours_is_not_taken_for_ours(folder: str) -> None:
    tidied = tidy(DUMP.replace("/opt/jobs", f"/opt/{folder}"))
    assert f'/opt/{folder}/show.py", line 20 in run' in tidied
    assert f'/opt/{folder}/lib.py", line 4 in poll' in tidied
    assert ROOT not in tidied


def test_what_of_ours_the_block_has_called_is_shown_above_it() -> None:
    called = DUMP.replace(
        "/opt/lib/python3.13/site-packages/paramiko/channel.py", f"{ROOT}/sdk/encoding/walk.py"
    )
    assert f'{ROOT}/sdk/encoding/walk.py", line 10 in recv\n  File "/opt/jobs/show.py", line 20' in tidy(
        called
    )


def test_a_stack_of_nothing_but_our_frames_is_kept() -> None:
    ours = f'Current thread 0x1 (most recent call first):\n  File "{ROOT}/jobrunner/job.py", line 9 in live\n'
    assert "line 9 in live" in tidy(ours)


IDLE = f"""\
Thread 0x00007f00000001{{:02}} (most recent call first):
  File "{PYTHON}/concurrent/futures/thread.py", line 90 in _worker
  File "{PYTHON}/threading.py", line 1012 in run
  File "{PYTHON}/threading.py", line 1075 in _bootstrap_inner
  File "{PYTHON}/threading.py", line 1032 in _bootstrap

"""
SESSION = f"""\
Thread 0x00007f00000002{{:02}} (most recent call first):
  File "/opt/lib/python3.13/site-packages/paramiko/packet.py", line 308 in read_all
  File "/opt/lib/python3.13/site-packages/paramiko/packet.py", line 459 in read_message
  File "/opt/lib/python3.13/site-packages/paramiko/transport.py", line 2174 in loop
  File "{PYTHON}/threading.py", line 1075 in _bootstrap_inner

"""
AWAITED = 'Awaiting in task {} (most recent call first):\n  File "/opt/jobs/show.py", line 7 in {}\n\n'


def thirty(section: str) -> str:
    """So many threads more, each newer than those of DUMP."""
    return "".join(section.format(number) for number in range(30))


def functions(stack: str) -> list[str]:
    return [line.rpartition(" in ")[2] for line in stack.split("\n") if line.startswith("  File ")]


def test_where_the_main_thread_was_comes_first_however_many_threads_are_told_before_it() -> None:
    """faulthandler tells of the newest thread first, and a result shows 2500 characters."""
    tidied = tidy(thirty(IDLE) + thirty(SESSION) + DUMP)
    assert functions(tidied)[:2] == ["recv", "run"]
    assert 'show.py", line 20 in run' in tidied[:1000]


def test_of_a_crash_the_thread_that_crashed_comes_first_and_the_main_thread_after_it() -> None:
    main = DUMP.replace("Current thread", "Thread")
    crashed = main.replace("Thread 0x00007f0000000001", "Current thread 0x1")
    tidied = tidy(f"Fatal Python error: Segmentation fault\n\n{thirty(SESSION)}{crashed}")
    assert functions(tidied)[:4] == ["wait", "poll", "recv", "run"]


def test_a_main_thread_whose_outermost_frames_were_left_out_comes_first_too() -> None:
    """As in a recursion without end: faulthandler tells of a hundred frames, and not of the worker's own."""
    frame = '  File "/opt/jobs/deep.py", line 3 in go\n'
    deep = f"Current thread 0x1 (most recent call first):\n{frame * 100}  ...\n"
    assert functions(tidy(thirty(SESSION) + deep))[0] == "go"


def test_what_the_job_s_own_task_awaits_is_told_before_the_main_thread_and_other_tasks_after_it() -> None:
    awaits = AWAITED.format("block", "ask") + AWAITED.format("Task-9", "listen")
    tidied = tidy(awaits + thirty(SESSION) + DUMP)
    assert functions(tidied)[:4] == ["ask", "recv", "run", "listen"]


def test_threads_that_run_the_author_s_code_come_before_those_that_wait_for_work() -> None:
    told = functions(tidy(IDLE.format(1) + SESSION.format(1) + DUMP))
    assert told.index("poll") < told.index("read_all") < told.index("_worker")


def test_a_last_line_that_is_not_whole_is_dropped_before_it_comes_to_stand_amid_the_text() -> None:
    """Half a secret is found at the end of a text alone."""
    current = 'Current thread 0x1 (most recent call first):\n  File "/opt/jobs/show.py", line 20 in run\n'
    tidied = tidy(f'{SESSION.format(1)}{current}  File "/opt/jobs/show.py", line 9 in Trellis_Wag')
    assert functions(tidied)[0] == "run"
    assert "Trellis" not in tidied


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        (DUMP, "lib.py:4 poll"),
        (DUMP.partition("\n\n")[2], "show.py:20 run"),
        (DUMP.partition("\n\n")[2].replace("/opt/jobs", ROOT + "/sdk"), "channel.py:10 recv"),
        (DUMP.replace("/opt/jobs", "/opt/jobrunner"), "lib.py:4 poll"),
        (f'  File "{PYTHON}/asyncio/runners.py", line 7 in run\n', "runners.py:7 run"),
        ("", None),
        ("Fatal Python error: Segmentation fault\n", None),
    ],
)
def test_the_innermost_frame_of_the_author_s_code_is_the_headline(stack: str, place: str | None) -> None:
    assert innermost(stack) == place


def test_jobs_see_the_variables_that_are_allowed_and_no_other() -> None:
    allowed = {
        "PATH": "/bin",
        "LANG": "C",
        "LC_TIME": "C",
        "TZ": "UTC",
        "https_proxy": "p",
        "SSL_CERT_FILE": "f",
    }
    hidden = {
        "NEOPS_ENGINE_TOKEN_FILE": "t",
        "HOME": "/h",
        "LD_PRELOAD": "x",
        "PYTHONPATH": "p",
        "NOTIFY_SOCKET": "n",
    }
    assert job_environment(allowed | hidden, frozenset()) == allowed
    assert job_environment(allowed | hidden, frozenset({"HOME"})) == allowed | {"HOME": "/h"}


@pytest.mark.parametrize(
    "dump",
    [
        '  File "' * 8192,
        '  File "", line 1 in x' * 2900,
        "\n \n" * 20_000,
        "\n" + " " * 65_000,
        '  File "a", line 1' * 3500,
        'selectors.py", line 1 in select\n  File "' * 1600,
    ],
)
def test_a_dump_that_a_job_has_written_itself_is_read_in_a_time_that_grows_with_its_length_alone(
    dump: str,
) -> None:
    def seconds(text: str) -> float:
        began = time.process_time()
        innermost(tidy(text))
        main_thread_of(text)
        return time.process_time() - began

    # An eighth of it, eight times: of a search that is quadratic, the whole takes eight times as long.
    parts = min(seconds(dump[: len(dump) // 8]) for _ in range(5)) * 8
    assert min(seconds(dump) for _ in range(3)) < 4 * parts + 0.02
