"""neops_base/python_eval, with a real interpreter."""

import asyncio
import os
import sys
from typing import Any

import pytest
from blocks_support import assert_ended, run_block, running_with, unique_seconds

from blocks import python_eval
from blocks.python_eval import PythonEval, PythonEvalParams
from sdk import FunctionBlockResult
from tests.patience import until


async def evaluate(source: str, **settings: Any) -> FunctionBlockResult[Any]:
    return await run_block(PythonEval(), PythonEvalParams(source=source, **settings))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("6 * 7", 42),
        ("x = [1, None]\n{'a': x, 'b': 'é'}", {"a": [1, None], "b": "é"}),
        ("import math\nmath.floor(2.5)", 2),
        ("x = 1", None),
        ("", None),
        ("def f():\n    return 'in a function'\nf()", "in a function"),
    ],
)
async def test_the_value_of_the_last_line_comes_back_as_json(source: str, value: Any) -> None:
    result = await evaluate(source)
    assert result.success, result.message
    assert (result.data.value, result.data.is_json, result.data.value_repr) == (value, True, repr(value))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{1, 2}", "{1, 2}"),
        ("float('nan')", "nan"),
        ("x = []; x.append(x); x", "[[...]]"),
        ("class A:\n    def __repr__(self): raise ValueError\nA()", "<A whose repr() raised ValueError>"),
    ],
)
async def test_a_value_that_is_no_json_comes_back_as_its_repr(source: str, text: str) -> None:
    result = await evaluate(source)
    assert result.success, result.message
    assert (result.data.value, result.data.is_json, result.data.value_repr) == (None, False, text)


async def test_output_is_captured_apart_from_the_value() -> None:
    result = await evaluate("import sys\nprint('out')\nprint('err', file=sys.stderr)\n'value'")
    assert (result.data.value, result.data.stdout, result.data.stderr) == ("value", "out\n", "err\n")


async def test_much_output_is_cut_and_said_to_be() -> None:
    result = await evaluate("print('x' * 1_000_000)")
    assert (len(result.data.stdout), result.data.output_truncated) == (65_536, True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "The source raised ZeroDivisionError: division by zero"),
        ("raise KeyError", "The source raised KeyError"),
        ("x = = 1", "The source raised SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "The source raised SystemExit: 3"),
        ("import os; os._exit(0)", "The interpreter ended before there was a value, with exit code 0"),
        (
            "import os; os.kill(os.getpid(), 11)",
            "The interpreter ended before there was a value, with signal 11 (Segmentation fault)",
        ),
    ],
)
async def test_every_end_without_a_value_is_a_failure_that_tells_how(source: str, message: str) -> None:
    result = await evaluate(source)
    assert (result.success, result.message) == (False, message)


async def test_the_traceback_shows_the_source_and_not_the_evaluator() -> None:
    result = await evaluate("def inner():\n    raise ValueError('x')\ninner()")
    assert '"<source>", line 2, in inner' in result.data.stderr
    assert "evaluate.py" not in result.data.stderr


async def test_a_source_that_does_not_end_is_killed_with_its_children() -> None:
    seconds = unique_seconds()
    source = f"import subprocess\nprint('started', flush=True)\nsubprocess.run(['sleep', '{seconds}'])"
    for limit in (1, 30):  # a slow machine may need more to start an interpreter
        result = await evaluate(source, timeout_seconds=limit)
        await assert_ended(seconds)
        if result.data.stdout:
            break
    assert (result.success, result.retryable, result.data.stdout) == (False, False, "started\n")
    assert result.message == f"The source did not end within {limit} s and was killed"


async def test_cancellation_kills_the_interpreter_and_its_children() -> None:
    seconds = unique_seconds()
    job = asyncio.create_task(evaluate(f"import subprocess\nsubprocess.run(['sleep', '{seconds}'])"))
    await until(lambda: running_with(seconds) != [])
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await assert_ended(seconds)


async def test_a_value_that_is_too_large_is_a_failure() -> None:
    result = await evaluate("'x' * 2_000_000")
    assert not result.success
    assert "over 1000000 bytes" in result.message


@pytest.mark.parametrize(
    "report",
    [
        "[]",
        "{}",
        "garbage",
        '{"error": 1, "value": 0, "is_json": true, "repr": "0"}',
        '{"error": {"type": "X"}, "value": 0, "is_json": true, "repr": "0"}',
        '{"error": null, "value": 0, "is_json": 1, "repr": "0"}',
        '{"error": null, "value": 0, "is_json": true, "repr": 2}',
    ],
)
async def test_a_report_that_the_source_forged_is_not_believed(report: str) -> None:
    source = f"import os, sys\nos.write(int(sys.argv[1]), {report.encode()!r})\nos._exit(0)"
    result = await evaluate(source)
    assert not result.success
    assert "before there was a value" in result.message


async def test_the_source_is_on_no_command_line() -> None:
    result = await evaluate("marker = 'only-in-the-source'\nopen('/proc/self/cmdline').read()")
    assert "only-in-the-source" not in result.data.value


async def test_the_interpreter_gets_no_secret_of_the_environment_and_is_isolated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEOPS_SECRET", "hidden")
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    result = await evaluate("import os, sys\n[sorted(os.environ), sys.flags.isolated, sys.path]")
    names, isolated, path = result.data.value
    assert set(names) <= {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ"}
    assert isolated == 1
    assert "/nonexistent" not in path


async def test_it_is_the_same_python_in_another_process() -> None:
    result = await evaluate("import os, sys\n[sys.version, os.getpid()]")
    version, pid = result.data.value
    assert version == sys.version
    assert pid != os.getpid()


def test_the_module_is_loaded_only_when_named() -> None:
    assert python_eval.__neops_named_only__ is True
