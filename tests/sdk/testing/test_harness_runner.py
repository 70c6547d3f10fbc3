"""`block_runner`: what a block does in a child comes back as it was."""

import asyncio
import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness_support import block_module

from blocks.echo import Echo, EchoParams
from sdk import DeviceEntity, register_function_block
from sdk.testing import BlockNotFoundError, BlockRunner, create_workflow_context
from sdk.testing.server import ServerProcess
from tests.patience import PATIENCE_SECONDS

CHANGES_DEVICE = """
context.device.vendor = "Emu"
self.logger.warning("changed it")
print("on stdout")
print("on stderr", file=sys.stderr)
return ok(f"{context.device.hostname} {context.run_on} {len(context.devices)}")
"""


BLOCKS: dict[str, dict[str, Any]] = {
    "by_id": {},
    "changes": {"body": CHANGES_DEVICE, "run_on": "device"},
    "debugs": {"body": 'self.logger.debug("detail")\nreturn ok()'},
    "hangs": {"body": "self.logger.info('before')\ntime.sleep(600)\nreturn ok()"},
    "limited": {"body": "await asyncio.sleep(600)", "registration": "max_seconds=0.3"},
    "eats": {"body": "kept = bytearray(os.urandom(1 << 20)) * 300\nawait asyncio.sleep(600)"},
    "tells": {
        "body": "print(context.device.password)\nreturn ok(str(len(context.device.password)))",
        "run_on": "device",
    },
    "stops": {"body": "breakpoint()\nreturn ok()"},
    "waits": {"body": "while not os.path.exists(params.text):\n    time.sleep(0.01)\nreturn ok()"},
    "marks": {"body": "open(params.text, 'w').write(str(os.getpid()))\ntime.sleep(600)"},
    "large": {"body": "return ok('z' * 5_000_000)"},
}
"""The blocks that most tests use: in one directory, so that they are imported once for all."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("library")
    for name, parts in BLOCKS.items():
        (directory / f"{name}.py").write_text(block_module(name, **parts))
    return directory


@pytest.fixture
def author(tmp_path: Path) -> Any:
    """Writes a module with the block `acme/<name>` into a directory of its own and returns its path."""

    def write(name: str, body: str = "return ok(params.text)", **options: Any) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(block_module(name, body, **options))
        return path

    return write


def test_a_class_runs_in_a_process_that_is_not_this_one(block_runner: BlockRunner) -> None:
    outcome = block_runner.run(Echo, EchoParams(text="hello", upper=True))
    assert (outcome.success, outcome.cause, outcome.message) == (True, "completed", "Echoed the text")
    assert outcome.data == {"text": "HELLO"}
    assert (outcome.exit_code, outcome.signal_name, outcome.killed) == (0, None, False)
    state = block_runner.run("read_state", source="blocks.testing").data
    assert state is not None
    assert state["pid"] != os.getpid()
    assert state["argv"] == ["neops-job"]


def test_a_block_is_found_by_id_and_source(block_runner: BlockRunner, library: Path) -> None:
    outcome = block_runner.run("acme/by_id:1.0.0", {"text": "x"}, source=library)
    assert outcome.data == {"text": "x"}


def test_an_id_without_a_source_is_looked_up_in_installed_packages(block_runner: BlockRunner) -> None:
    assert block_runner.run("neops_base/echo:1.0.0", {"text": "x"}).data == {"text": "x"}


def test_changes_logs_and_output_come_back(block_runner: BlockRunner, library: Path) -> None:
    context = create_workflow_context("device", devices=[DeviceEntity(id=7, hostname="r7")])
    outcome = block_runner.run("changes", None, context, source=library)
    assert outcome.data == {"text": "r7 device 1"}
    assert outcome.db_updates == [
        {"operation": "patch", "entity": "device", "id": 7, "path": "vendor", "value": "Emu"}
    ]
    assert [(line.level, line.message) for line in outcome.logs] == [(30, "changed it")]
    assert (outcome.stdout, outcome.stderr) == ("on stdout\n", "on stderr\n")
    assert context.device is not None
    assert context.device.vendor is None  # the test's own context is not the block's


def test_a_context_may_be_the_json_of_one(block_runner: BlockRunner, library: Path) -> None:
    context = {"devices": [{"id": 3, "hostname": "r3"}], "interfaces": []}
    assert block_runner.run("changes", None, context, source=library).data == {"text": "r3 device 1"}


def test_the_least_log_level_is_info_unless_asked_for(block_runner: BlockRunner, library: Path) -> None:
    assert block_runner.run("debugs", source=library).logs == ()
    texts = [line.message for line in block_runner.run("debugs", source=library, log_level="debug").logs]
    assert "detail" in texts


def test_acquire_and_rollback_are_run_too(block_runner: BlockRunner) -> None:
    acquired = block_runner.run(Echo, {"text": "x"}, job_type="acquire")
    assert (acquired.success, acquired.message) == (True, "Nothing to acquire")
    undone = block_runner.run(Echo, {"text": "x"}, job_type="rollback")
    assert not undone.success
    assert "Rollback not implemented" in undone.message


def test_invalid_parameters_are_a_failed_outcome_without_their_values(block_runner: BlockRunner) -> None:
    outcome = block_runner.run(Echo, {"text": {"never": "shown"}})
    assert (outcome.cause, outcome.retryable) == ("block_failed", False)
    assert "text" in outcome.message
    assert "shown" not in outcome.report()


def test_a_hang_is_killed_at_its_limit_and_the_stack_names_the_line(
    block_runner: BlockRunner, library: Path
) -> None:
    outcome = block_runner.run("hangs", source=library, max_seconds=3, grace_seconds=0)
    assert (outcome.success, outcome.cause, outcome.killed) == (False, "time_limit", True)
    assert f'"{library / "hangs.py"}", line ' in outcome.stack
    assert "in run" in outcome.stack
    assert outcome.elapsed_seconds >= 3
    first, blocks = outcome.logs
    assert first.message == "before"
    assert "acme/hangs:1.0.0 blocks its event loop" in blocks.message


def test_a_block_s_own_limit_counts_where_it_is_lower(block_runner: BlockRunner, library: Path) -> None:
    assert block_runner.run("limited", source=library, max_seconds=60).cause == "time_limit"


def test_memory_is_limited(block_runner: BlockRunner, library: Path) -> None:
    outcome = block_runner.run("eats", source=library, max_memory_mb=100, max_seconds=30)
    assert outcome.cause == "memory_limit"


def test_cpu_time_is_limited(block_runner: BlockRunner) -> None:
    outcome = block_runner.run("spin", source="blocks.testing", max_cpu_seconds=0.2, grace_seconds=0)
    outcome.assert_killed(by="CPU limit")
    assert outcome.cpu_seconds is not None
    assert outcome.cpu_seconds > 0.2


def test_each_run_has_a_fresh_process(block_runner: BlockRunner) -> None:
    block_runner.run("writes_env", source="blocks.testing")
    state = block_runner.run("read_state", source="blocks.testing").data
    assert state is not None
    assert state["left_by_earlier_jobs"] == []
    assert "NEOPS_TESTING_LEFT" not in state["environment"]


def test_the_environment_of_the_tests_stays_here(
    block_runner: BlockRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOPS_MAX_JOB_SECONDS", "0.001")
    state = block_runner.run("read_state", source="blocks.testing").data
    assert state is not None
    assert not {"NEOPS_MAX_JOB_SECONDS", "PYTHONPATH", "PYTEST_CURRENT_TEST"} & set(state["environment"])


def test_secrets_are_masked_in_texts_and_whole_in_the_block(block_runner: BlockRunner, library: Path) -> None:
    device = {"id": 1, "password": "open-sesame-1"}
    outcome = block_runner.run("tells", None, {"devices": [device]}, source=library)
    assert (outcome.stdout, outcome.data) == ("***\n", {"text": "13"})


def templates_of(server: ServerProcess) -> set[int]:
    """The pids of the templates that a block server keeps."""
    below = psutil.Process(server.pid).children(recursive=True)
    return {process.pid for process in below if name_of(process) == "neops-template"}


def name_of(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return ""


def test_what_a_block_leaves_behind_is_killed_and_the_templates_of_other_blocks_are_not(
    block_runner: BlockRunner, neops_block_server: ServerProcess, library: Path
) -> None:
    assert block_runner.run("by_id", source=library).success
    assert block_runner.run("leave_behind", source="blocks.testing").success
    templates = templates_of(neops_block_server)
    assert len(templates) >= 2
    outcome = block_runner.run("leave_behind", source="blocks.testing")
    # A daemon's middle process may be seen alive as well.
    assert (outcome.success, outcome.leftover_processes in {3, 4}) == (True, True)
    assert block_runner.run("by_id", source=library).success
    assert templates_of(neops_block_server) == templates


def test_a_changed_source_file_is_imported_again(block_runner: BlockRunner, author: Any) -> None:
    path = author("edited", "return ok('old')")
    assert block_runner.run("edited", source=path).data == {"text": "old"}
    author("edited", "return ok('new one')")
    assert block_runner.run("edited", source=path).data == {"text": "new one"}


def test_a_changed_module_beside_the_block_is_imported_again(
    block_runner: BlockRunner, author: Any, tmp_path: Path
) -> None:
    beside = tmp_path / "beside_it.py"
    beside.write_text("WORD = 'old'\n")
    path = author("uses_beside", "from beside_it import WORD\nreturn ok(WORD)")
    assert block_runner.run("uses_beside", source=path).data == {"text": "old"}
    beside.write_text("WORD = 'new one'\n")
    assert block_runner.run("uses_beside", source=path).data == {"text": "new one"}


def test_a_module_that_starts_a_thread_runs_in_a_spawned_interpreter(
    block_runner: BlockRunner, tmp_path: Path
) -> None:
    thread = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    path = tmp_path / "threads.py"
    path.write_text(thread + block_module("threads"))
    assert block_runner.run("threads", {"text": "x"}, source=path).data == {"text": "x"}


def test_a_block_whose_module_fails_to_import_is_an_error_with_the_place(
    block_runner: BlockRunner, tmp_path: Path
) -> None:
    path = tmp_path / "broken.py"
    path.write_text("x = 1\nraise RuntimeError('no luck')\n")
    with pytest.raises(BlockNotFoundError) as caught:
        block_runner.run("acme/broken:1.0.0", source=path)
    assert f"{path}:2" in str(caught.value)
    assert "RuntimeError: no luck" in str(caught.value)


def test_an_unknown_block_is_an_error_that_names_near_ones(block_runner: BlockRunner) -> None:
    with pytest.raises(BlockNotFoundError, match=r"Did you mean neops_base/echo:1\.0\.0"):
        block_runner.run("neops_base/ecko:1.0.0")


def test_a_source_that_is_not_there_is_an_error(block_runner: BlockRunner) -> None:
    with pytest.raises(BlockNotFoundError, match="does not exist"):
        block_runner.run("acme/any", source="./no/such/place.py")


class Heir(Echo):
    """Not registered itself; its base is."""


def test_a_class_that_is_not_registered_itself_is_an_error(block_runner: BlockRunner) -> None:
    with pytest.raises(BlockNotFoundError, match="register_function_block"):
        block_runner.run(Heir, {"text": "x"})


def test_a_class_inside_a_function_is_an_error_that_says_what_to_do(block_runner: BlockRunner) -> None:
    @register_function_block(dataclasses.replace(Echo.registration, name="inner"))
    class Inner(Echo):
        """Registered, but not to be imported anywhere."""

    with pytest.raises(BlockNotFoundError, match="Move it to the top of its module"):
        block_runner.run(Inner)


async def test_run_async_leaves_the_loop_free(
    block_runner: BlockRunner, library: Path, tmp_path: Path
) -> None:
    go_on = tmp_path / "go on"
    running = asyncio.create_task(block_runner.run_async("waits", {"text": str(go_on)}, source=library))
    for _ in range(10):
        await asyncio.sleep(0.01)
    go_on.touch()
    assert (await running).success


async def test_runs_at_the_same_time_get_their_own_outcomes(block_runner: BlockRunner) -> None:
    texts = [f"text {number}" for number in range(5)]
    outcomes = await asyncio.gather(*(block_runner.run_async(Echo, {"text": text}) for text in texts))
    assert [outcome.data for outcome in outcomes] == [{"text": text} for text in texts]


async def test_a_cancelled_run_ends_its_job_and_the_next_one_is_served(
    block_runner: BlockRunner, library: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    running = asyncio.create_task(block_runner.run_async("marks", {"text": str(mark)}, source=library))
    while not (mark.exists() and mark.read_text()):
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await block_runner.run_async(Echo, {"text": "x"})).success
    assert not Path(f"/proc/{mark.read_text()}").exists()


def test_a_large_context_and_a_large_result_pass(block_runner: BlockRunner, library: Path) -> None:
    devices = [{"id": number, "facts": {"x": "y" * 1000}} for number in range(1, 2001)]
    outcome = block_runner.run("large", None, {"devices": devices}, source=library)
    assert outcome.data is not None
    assert len(outcome.data["text"]) == 5_000_000


def test_this_process_imports_nothing_of_the_worker() -> None:
    # A suite of an author may be run without either; other tests of ours import them, hence the fresh interpreter.
    program = (
        "import sys; from blocks.echo import Echo; from sdk.testing import BlockRunner\n"
        "with BlockRunner() as runner: assert runner.run(Echo, {'text': 'x'}).success\n"
        "import threading; assert threading.active_count() == 1\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in {'supervisor', 'jobrunner', 'pytest'}))"
    )
    assert run_python(program).strip() == "[]"


def run_python(program: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_directories_of_an_author_stand_in_front_of_nothing(tmp_path: Path) -> None:
    for name in ("supervisor", "jobrunner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "theirs.py").write_text(block_module("theirs"))
    program = (
        "from sdk.testing import BlockRunner\n"
        "with BlockRunner() as runner:\n"
        "    outcome = runner.run('theirs', {'text': 'x'}, source='theirs.py')\n"
        "assert outcome.success, outcome.report()"
    )
    run_python(program, cwd=tmp_path)


@pytest.mark.parametrize("in_process", [False, True])
async def test_an_option_that_there_is_not_is_refused_with_the_one_that_was_meant(in_process: bool) -> None:
    runner = BlockRunner(in_process=in_process)  # without a process: it must not be started for that
    misspelt: dict[str, Any] = {"max_secs": 1}
    with pytest.raises(TypeError, match=r"no option 'max_secs' for a run. Did you mean 'max_seconds'\?"):
        runner.run(Echo, {}, **misspelt)
    with pytest.raises(TypeError, match="Did you mean 'max_seconds'"):
        runner.rollback(Echo, {}, **misspelt)
    with pytest.raises(TypeError, match="Did you mean 'max_seconds'"):
        await runner.run_async(Echo, {}, **misspelt)
    with pytest.raises(TypeError, match=r"no option 'zzz' for a run. Choose from: source, "):
        runner.acquire(Echo, {}, zzz=1)  # type: ignore[arg-type]  # what is tested


def test_a_block_that_is_not_found_is_told_with_where_it_was_looked_for(
    block_runner: BlockRunner, library: Path
) -> None:
    with pytest.raises(BlockNotFoundError, match=f"It was looked for in: {library}. Give its class"):
        block_runner.run("nowhere_at_all", source=library)
    with pytest.raises(BlockNotFoundError, match="looked for in: the blocks of installed packages"):
        block_runner.run("nowhere_at_all")


def test_a_forgotten_breakpoint_is_told_with_the_way_to_use_it(
    block_runner: BlockRunner, library: Path
) -> None:
    outcome = block_runner.run("stops", source=library)
    outcome.assert_raised("BdbQuit")
    assert "--blocks-in-process" in outcome.report()
