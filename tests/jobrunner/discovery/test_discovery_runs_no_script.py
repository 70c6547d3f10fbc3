"""No command and no start of the worker runs a script that lies beside the blocks."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.testing import BlockRunner, EngineThread, SupervisorProcess
from tests.supervisor.commands.commands_support import supervisor
from tests.supervisor.commands.local_support import running, submit, write_block

PUSHES = "import pathlib\npathlib.Path({ran!r}, {name!r}).write_text('pushed config to 400 routers')\n"
SCRIPTS = {
    "push": PUSHES,
    "a b/push-all": PUSHES,
    "tools/__main__": PUSHES,
    "tools/__init__": "",
    "guarded": "if __name__ == '__main__':\n    pass\n" + PUSHES,
    "tries_blocks": "from sdk.testing import BlockRunner, create_workflow_context\n"
    "context = create_workflow_context('global')\n" + PUSHES,
    "defines_parameters": "import sdk\nclass P(sdk.FunctionBlockParams): ...\n" + PUSHES,
    "inside": "from sdk.testing import fb_test_case\ndef go():\n    fb_test_case('x', {{}}, None)\n" + PUSHES,
    "uses_a_block": "from greet import Greet\nprint(Greet)\n" + PUSHES,
    "dynamic": "r = __import__('s' + 'dk').register_function_block\n" + PUSHES,
    "guarded_block": "import sdk\nif __name__ == '__main__':\n    class B(sdk.FunctionBlock): ...\n" + PUSHES,
    "huge": PUSHES + "x = '''" + "x" * 2_000_000 + "'''\nimport sdk\nclass B(sdk.FunctionBlock): ...\n",
    "old": PUSHES + "import sdk\nprint 'Python 2'\n",
}
BROKEN = "old"


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    (tmp_path / "ran").mkdir()
    return tmp_path / "ran"


@pytest.fixture
def home(tmp_path: Path, ran: Path) -> Iterator[Path]:
    """A directory of scripts, each of which would write a file, and of one block. In the end, no file was written."""
    home = tmp_path / "home"
    home.mkdir()
    for name, text in SCRIPTS.items():
        file = home / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.format(ran=str(ran), name=name.replace("/", "-")))
    (home / "company.py").write_text(
        "from sdk import FunctionBlock as Base, register_function_block as block\n"
    )
    write_block(home / "greet.py")
    greet = (home / "greet.py").read_text()
    (home / "greet.py").write_text(
        "from company import Base, block\n"
        + greet.replace("@register_function_block", "@block").replace("(FunctionBlock[", "(Base[")
    )
    yield home
    assert [file.name for file in ran.iterdir()] == []


def test_blocks_lists_the_block_and_what_was_left_out(home: Path) -> None:
    done = supervisor("blocks", "--json", "--function-blocks", str(home))
    shown = json.loads(done.stdout)
    assert [block["id"] for block in shown["blocks"]] == ["acme/greet:1.0.0"]
    left_out = {
        Path(each["file"]).relative_to(home).with_suffix("").as_posix(): each["reason"]
        for each in shown["left_out"]
    }
    assert set(left_out) == set(SCRIPTS) - {BROKEN, "tools/__init__"}
    assert all(left_out.values())
    (problem,) = shown["problems"]
    assert (problem["file"], problem["line"]) == (str(home / "old.py"), 4)


def test_blocks_tells_people_what_was_left_out_and_what_to_do(home: Path) -> None:
    done = supervisor("blocks", "--function-blocks", str(home))
    assert "acme/greet:1.0.0" in done.stdout
    assert "11 module(s) were not imported" in done.stderr
    assert "name its file in --function-blocks; to import all, give --import-all-modules" in done.stderr
    assert f"    {home / 'push.py'}: nothing at its top level registers a block" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_check_checks_the_block_and_lists_what_was_left_out(home: Path, arguments: tuple[str, ...]) -> None:
    done = supervisor("check", *arguments, cwd=home)
    assert "push.py" in done.stdout
    assert "nothing at its top level registers a block" in done.stdout
    assert "old.py" in done.stdout
    assert "acme/greet:1.0.0" in done.stdout or "1 block(s), 1 error(s)" in done.stdout


@pytest.mark.parametrize("method", ["template", "spawn"])
def test_run_block_runs_the_block_alone(home: Path, method: str) -> None:
    done = supervisor("run-block", "greet", "--function-blocks", str(home), "--start-method", method)
    assert json.loads(done.stdout)["data"] == {"text": "hello"}


def test_run_block_says_that_a_block_may_be_in_what_was_left_out(home: Path) -> None:
    done = supervisor("run-block", "dynamic", "--function-blocks", str(home))
    assert done.returncode == 2
    assert "11 module(s) were not imported: `supervisor blocks` tells why." in done.stderr


def test_doctor_counts_the_block(home: Path) -> None:
    done = supervisor("doctor", "--function-blocks", str(home))
    assert "1 imported" in done.stdout + done.stderr


def test_dev_and_submit_run_the_block_alone_also_after_a_save(home: Path) -> None:
    with running(home, "dev") as command:
        command.wait_for('"event": "ready"')
        seen = len(command.lines)
        (home / "push.py").write_text((home / "push.py").read_text() + "\n")
        command.wait_for("The worker is reloaded: 1 block", after=seen)
        assert submit(home, "greet", "--wait").returncode == 0
        assert command.end() == 0


def test_local_runs_the_block_alone(home: Path) -> None:
    with running(home, "local", "--port", "0", "--function-blocks", str(home)) as command:
        command.wait_for("ready, the engine is at")
        assert submit(home, "greet", "--wait").returncode == 0
        assert command.end() == 0


def test_the_daemon_says_in_one_line_how_many_were_left_out_and_at_debug_which(
    home: Path, dev_engine: EngineThread, tmp_path: Path
) -> None:
    settings = {
        "function_blocks": [home],
        "log_level": "debug",
        "engine_token_file": dev_engine.token_file,
    }
    with SupervisorProcess(dev_engine.url, tmp_path / "worker", settings) as worker:
        job = dev_engine.wait_for_result(dev_engine.submit("acme/greet:1.0.0", {}))
        assert job.result_status == "success"
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
    (line,) = [line for line in worker.log.splitlines() if "11 module(s) were not imported" in line]
    assert " INFO " in line
    named = [line for line in worker.log.splitlines() if "Not imported: " in line]
    assert len(named) == 11
    assert all(" DEBUG " in line for line in named)


def test_the_pytest_harness_runs_the_block_alone(home: Path, block_runner: BlockRunner) -> None:
    assert block_runner.run("acme/greet", {}, source=str(home)).success


def test_a_script_that_is_named_itself_is_imported(home: Path, ran: Path) -> None:
    supervisor("blocks", "--function-blocks", f"{home},{home / 'push.py'}")
    assert [file.name for file in ran.iterdir()] == ["push"]
    (ran / "push").unlink()


def test_import_all_modules_imports_all(home: Path, ran: Path) -> None:
    done = supervisor("blocks", "--json", "--function-blocks", str(home), NEOPS_IMPORT_ALL_MODULES="true")
    imported = {file.name for file in ran.iterdir()}
    assert imported == {name.replace("/", "-") for name in SCRIPTS} - {BROKEN, "tools-__init__"}
    assert json.loads(done.stdout)["left_out"] == []
    for file in ran.iterdir():
        file.unlink()


def test_a_package_that_is_named_is_treated_as_a_directory_is(home: Path) -> None:
    (home / "__init__.py").write_text("")
    relative = (home / "greet.py").read_text().replace("from company", "from .company")
    (home / "greet.py").write_text(relative)
    done = supervisor(
        "blocks", "--json", "--function-blocks", "home", PYTHONPATH=":".join((str(home.parent), *sys.path))
    )
    assert [block["id"] for block in json.loads(done.stdout)["blocks"]] == ["acme/greet:1.0.0"]
