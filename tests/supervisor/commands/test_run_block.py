"""`supervisor run-block`."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands_support import BASE, supervisor

from supervisor.commands import run_block
from tests.patience import PATIENCE_SECONDS

ECHO = ("echo", "--function-blocks", "blocks.echo")
TESTING = ("--function-blocks", "blocks.testing")


def test_a_block_runs_and_its_result_is_one_json_object_where_nobody_looks() -> None:
    done = supervisor("run-block", *ECHO, "--params", '{"text": "hi", "upper": true}')
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["block"], shown["success"], shown["data"]) == (
        "neops_base/echo:1.0.0",
        True,
        {"text": "HI"},
    )
    assert shown["cause"] == "completed"


def test_a_block_of_the_other_sdk_sees_the_settings_by_their_old_names(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "names.py").write_text(_NAMES)
    done = supervisor(
        "run-block", "names", "--function-blocks", "blocks", "--redact-keys", "pin", cwd=tmp_path
    )
    assert json.loads(done.stdout)["data"] == {"shown": {"pin": "***", "site": "zrh"}}, done.stderr


_NAMES = """
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData
)
from neops_worker_sdk.logger.redaction import default_redactor
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration

class Shown(FunctionBlockResultData):
    shown: dict[str, str]

@register_function_block(Registration(
    name="names", package="tests", description="Shows values", run_on="global", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=Shown,
))
class Names(FunctionBlock[FunctionBlockParams, Shown]):
    async def acquire(self, params): ...

    async def run(self, params, context):
        shown = default_redactor().dump({"pin": "1234", "site": "zrh"})
        return FunctionBlockResult(message="", success=True, data=Shown(shown=shown))
"""


def test_on_a_terminal_it_is_a_table() -> None:
    code, text = on_a_terminal("run-block", *ECHO, "--params", '{"text": "hi"}')
    rows = dict(re.findall(r"^(\w+) +(.*?) *$", text, re.MULTILINE))
    assert code == 0
    assert (rows["block"], rows["outcome"], rows["cause"]) == (
        "neops_base/echo:1.0.0",
        "success",
        "completed",
    )
    assert '"text": "hi"' in text
    assert "│" not in text


def test_on_a_terminal_a_text_of_several_lines_has_them() -> None:
    _, text = on_a_terminal("run-block", *ECHO, "--params", '{"text": "first\\nsecond"}')
    assert re.search(r'"text": \|\s*\n +first\s*\n +second', text)
    assert "\\n" not in text


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run the command with a terminal for stdin and stdout; return its exit code and what it shows, uncoloured."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "supervisor", *arguments]
    wide = os.environ | {"COLUMNS": "150", "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, env=wide)
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # how Linux says that nobody has the terminal open any more
                break
        code = process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return code, re.sub(r"\x1b\[[0-9;]*m", "", shown.decode().replace("\r", ""))


def test_a_failure_is_exit_code_1_with_its_log_on_stderr() -> None:
    done = supervisor("run-block", "raise_error", *TESTING)
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["success"], shown["cause"]) == (1, False, "block_raised")
    assert "ValueError: This block always fails" in done.stderr
    assert "Traceback" in shown["logs"][0]["message"]


def test_a_hang_is_killed_at_its_limit_and_the_result_says_where_it_was() -> None:
    # Ten times what a job needs to get to where it hangs, and then some.
    limits = ("--max-job-seconds", "3", "--grace-seconds", "0")
    done = supervisor("run-block", "hang_sleep", *TESTING, *limits)
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["cause"], shown["signal_name"]) == (1, "time_limit", "SIGKILL")
    assert "hangs.py" in shown["stack"]


def test_a_crash_is_a_result_too() -> None:
    done = supervisor("run-block", "segfault", *TESTING)
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["cause"], shown["signal_name"]) == (1, "crashed", "SIGSEGV")


ONE_OF_TWO = """
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)
class Data(FunctionBlockResultData):
    which: str
def declare(package, version):
    @register_function_block(Registration(package=package, name="same", version=version, description="",
        run_on="global", fb_type="none", param_cls=FunctionBlockParams, result_cls=Data))
    class Same(FunctionBlock[FunctionBlockParams, Data]):
        async def run(self, params, context):
            print("printed by the block")
            return FunctionBlockResult(success=True, message="ok", data=Data(which=f"{package} {version}"))
    Same.__qualname__ = f"Same_{package}_{version}"
"""


def test_what_a_block_prints_is_shown_and_in_its_result(tmp_path: Path) -> None:
    (tmp_path / "same.py").write_text(ONE_OF_TWO + "declare('a', (1, 2, 0))\ndeclare('a', (1, 10, 0))\n")
    done = supervisor("run-block", "a/same", "--function-blocks", str(tmp_path / "same.py"))
    assert json.loads(done.stdout)["data"] == {"which": "a (1, 10, 0)"}
    assert "printed by the block" in done.stderr
    assert json.loads(done.stdout)["stdout"] == "printed by the block\n"


def test_a_call_without_await_is_told_in_the_result_with_its_line(tmp_path: Path) -> None:
    text = ONE_OF_TWO.replace('print("printed by the block")', "asyncio.sleep(1)")
    (tmp_path / "same.py").write_text(f"import asyncio\n{text}declare('a', (1, 2, 0))\n")
    done = supervisor("run-block", "same", "--function-blocks", str(tmp_path / "same.py"))
    shown = json.loads(done.stdout)
    assert shown["success"] is True
    assert re.search(
        r"^Line 14 of \S+same\.py calls sleep\(\) without await, so it did not run", shown["warning"]
    )


def test_an_unknown_name_is_wrong_usage_and_near_ones_are_named() -> None:
    done = supervisor("run-block", "ecko", "--function-blocks", "blocks.echo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean neops_base/echo:1.0.0?" in done.stderr
    assert "blocks.python_eval" in done.stderr


def test_a_block_that_nobody_registers_leads_to_the_check_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text(
        "import sdk\nclass Greet(sdk.FunctionBlock):\n    async def run(self, params, context): ...\n"
    )
    done = supervisor("run-block", "greet", "--function-blocks", "greet.py", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        "No blocks were found.\nIf it is in a file that was read, `supervisor check` says what it"
        in done.stderr
    )
    done = supervisor("check", "greet.py", cwd=tmp_path)
    assert "[not-registered] Greet is a FunctionBlock without @register_function_block" in done.stdout


def test_a_dangerous_block_runs_only_where_it_is_named() -> None:
    params = ("--params", '{"source": "6 * 7"}')
    assert supervisor("run-block", "python_eval", *params, "--function-blocks", "blocks").returncode == 2
    done = supervisor("run-block", "python_eval", *params, "--function-blocks", "blocks.python_eval")
    assert json.loads(done.stdout)["data"]["value"] == 42


def test_a_block_of_a_module_that_fails_to_import_leads_to_the_module(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(f"import no_such_module\n{BASE}")
    done = supervisor("run-block", "acme/broken", "--function-blocks", str(tmp_path))
    assert done.returncode == 2
    assert f"{tmp_path / 'broken.py'}:1: ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "BLOCK"),
        (("echo", "--bananas"), "--bananas"),
        (("echo", "--type", "eat"), "--type"),
        (("echo", "--max-job-seconds", "0"), "--max-job-seconds"),
        (("echo", "--entity-id", "x"), "--entity-id"),
        (("echo", "--params", '{"text": hidden-1}'), "line 1, column 10"),
        (("echo", "--params", '{"text": NaN}'), "NaN"),
        (("echo", "--params", '["hidden-1"]'), "is an array. It has to be a JSON object"),
        (("echo", "--params", "@/no/such.json"), "/no/such.json can't be read: No such file"),
        (("echo", "--context", "/no/such.json"), "--context: file /no/such.json can't be read"),
    ],
)
def test_wrong_usage_is_one_message_without_values(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown, said = refused(capsys, *arguments)
    assert (code, shown) == (2, "")
    assert words in said
    assert "hidden-1" not in said


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command in this process, which it leaves alone until it has accepted its arguments."""
    try:
        code = run_block.run(list(arguments))
    except SystemExit as end:
        code = int(end.code or 0)
    return (code, *capsys.readouterr())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"5", b"[" * 100_000])
def test_a_file_that_is_no_json_object_is_one_message(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "input.json"
    path.write_bytes(content)
    code, shown, said = refused(capsys, "echo", "--params", f"@{path}")
    assert (code, shown) == (2, "")
    assert said.startswith("supervisor run-block: --params: ")
    assert (str(path) in said, said.count("\n")) == (True, 1)


def test_a_directory_of_blocks_that_does_not_exist_is_wrong_usage() -> None:
    done = supervisor("run-block", "echo", "--function-blocks", "blocks.echo,/no/such/place")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--function-blocks: /no/such/place: does not exist" in done.stderr


def test_parameters_and_context_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text('{"commands": ["show clock"], "login_timeout_seconds": 0.2}')
    device = {"id": 4, "ip": "127.0.0.1", "username": "u", "password": "hidden-1", "platform": None}
    (tmp_path / "context.json").write_text(json.dumps({"devices": [device]}))
    files = ("--params", f"@{tmp_path / 'params.json'}", "--context", str(tmp_path / "context.json"))
    done = supervisor("run-block", "show_command", "--function-blocks", "blocks.show_command", *files)
    shown = json.loads(done.stdout)
    assert done.returncode == 1
    assert "127.0.0.1 port 22 has no platform" in shown["message"]
    assert "hidden-1" not in done.stdout + done.stderr


def test_a_rollback_can_be_asked_for() -> None:
    undone = supervisor("run-block", *ECHO, "--type", "rollback", "--params", '{"text": "x"}')
    assert undone.returncode == 1
    assert "Rollback not implemented" in undone.stdout


def test_arguments_of_the_command_are_not_taken_from_the_environment() -> None:
    given = {"JSON": "no", "NEOPS_PARAMS": "{", "NEOPS_BLOCK": "other", "NEOPS_TYPE": "acquire"}
    done = supervisor("run-block", *ECHO, "--params", '{"text": "x"}', **given)
    assert json.loads(done.stdout)["data"] == {"text": "x"}


def test_settings_of_the_worker_are() -> None:
    done = supervisor("run-block", *ECHO, "--params", '{"text": "x"}', NEOPS_MAX_JOB_SECONDS="-1")
    assert done.returncode == 2
    assert "NEOPS_MAX_JOB_SECONDS" in done.stderr


def test_an_interrupt_ends_the_job_and_its_result_is_shown(tmp_path: Path) -> None:
    # Not beside the block: where its code is, a job makes nothing.
    mark = tmp_path / "made" / "mark"
    mark.parent.mkdir()
    (tmp_path / "marks.py").write_text(
        ONE_OF_TWO.replace(
            'print("printed by the block")',
            f"open({str(mark)!r}, 'w').write('x'); import time; time.sleep(600)",
        )
        + "declare('a', (1, 0, 0))\n"
    )
    source = str(tmp_path / "marks.py")
    command = [sys.executable, "-m", "supervisor", "run-block", "same", "--function-blocks", source]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output: Any
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    shown = json.loads(output)
    assert (process.returncode, shown["cause"]) == (1, "worker_stopping")


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("supervisor run-block", ("run-block", *ECHO)), ("supervisor dev", ("dev",)), ("supervisor", ())],
    ids=["run-block", "dev", "worker"],
)
def test_where_there_is_no_place_for_temporary_files_that_is_said_in_one_sentence(
    program: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    code = (
        # The superuser may write everywhere, so Python is told of no other place.
        "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc/self']; "
        "from supervisor.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": "/proc/self"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{program}: No usable temporary directory found in ['/proc/self']. "
        "Make room in one of them, or set TMPDIR to a directory that you may write to.\n"
    )
