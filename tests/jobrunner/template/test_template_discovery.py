"""Importing the blocks: each bad module is one problem that names it, and everything else loads."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, alive_with, hosted

from tests.patience import wait_until

BLOCK = """
from sdk import (FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
                 register_function_block)

class Data(FunctionBlockResultData):
    text: str = ""

@register_function_block(Registration(package="lab", name="{name}", description="A block", run_on="global",
    fb_type="execute", param_cls=FunctionBlockParams, result_cls=Data))
class Block(FunctionBlock[FunctionBlockParams, Data]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="{name}", data=Data(text={text}))
"""
BASE = "\nimport sdk\nclass Base(sdk.FunctionBlock): ...\n"
"""What has a module that would have no block imported all the same."""

MODULES = {
    "a_good": BLOCK.format(name="good", text='"good"'),
    "z_good_too": BLOCK.format(name="good_too", text='"good too"'),
    "raises": BLOCK.format(name="never_1", text='""') + "\nraise RuntimeError('no licence file')\n",
    "exits": "import sys\nsys.exit('wrong Python')\n" + BASE,
    "raises_base": "class Odd(BaseException): pass\nraise Odd('odd')\n" + BASE,
    "hangs": "import time\ntime.sleep(600)\n" + BASE,
    "segfaults": "import ctypes\nctypes.string_at(0)\n" + BASE,
    "os_exits": "import os\nos._exit(3)\n" + BASE,
    "closes_all": "import os\nos.closerange(0, 1024)\nimport time\ntime.sleep(600)\n" + BASE,
    "syntax": "def broken(:\n",
    "missing_import": "import no_such_module_anywhere\n" + BASE,
    "m_first": BLOCK.format(name="twice", text='"first"'),
    "n_second": BLOCK.format(name="twice", text='"second"'),
    "bad_id": BLOCK.format(name="with space", text='""'),
    "not_utf8": None,
    "no_schema": "import pydantic\nclass Plain: pass\nclass Params(pydantic.BaseModel):\n    x: Plain\n"
    + BASE,
    "library_fails": "import json\njson.loads('{')\n" + BASE,
}
CRASHING = ("hangs", "segfaults", "os_exits", "closes_all")
MISSING = "/nowhere/at/all"
GOOD = {"lab/good:1.0.0", "lab/good_too:1.0.0", "lab/twice:1.0.0"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host whose directory of blocks holds every kind of bad module at once."""
    directory = tmp_path_factory.mktemp("bad")
    sources = directory / "sources"
    sources.mkdir()
    for name, text in MODULES.items():
        (sources / f"{name}.py").write_bytes(b"text = '\xff'\n" if text is None else text.encode())
    with hosted(directory, sources=[str(sources), MISSING], import_seconds=1.0) as host:
        yield host


def problem_of(host: Host, name: str) -> dict[str, Any]:
    found = [p for p in host.problems if p["module"].split(".")[-1] == name or p["module"] == name]
    assert len(found) == 1, (name, host.problems)
    return found[0]


def test_the_good_modules_of_a_bad_directory_are_loaded(host: Host) -> None:
    assert set(host.blocks) == GOOD
    for name in ("good", "good_too"):
        assert host.run(f"lab/{name}")["message"] == name


def test_a_block_of_a_module_that_failed_further_down_is_not_offered(host: Host) -> None:
    assert "lab/never_1:1.0.0" not in host.blocks


def test_each_bad_module_is_one_problem(host: Host) -> None:
    bad = set(MODULES) - {"a_good", "z_good_too", "m_first"}
    names = [problem["module"].split(".")[-1] for problem in host.problems if problem["module"] != MISSING]
    assert sorted(names) == sorted(bad)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("raises", "error", "RuntimeError: no licence file"),
        ("exits", "exit", "wrong Python"),
        ("raises_base", "error", "Odd: odd"),
        ("hangs", "hang", "longer than 1 s"),
        ("segfaults", "crash", "SIGSEGV"),
        ("os_exits", "crash", "exit code 3"),
        ("closes_all", "crash", "closed"),
        ("syntax", "error", "SyntaxError"),
        ("missing_import", "error", "no_such_module_anywhere"),
        ("n_second", "conflict", "lab/twice:1.0.0"),
        ("bad_id", "error", "with space"),
        ("not_utf8", "error", "SyntaxError"),
        ("no_schema", "error", "Plain"),
        ("library_fails", "error", "JSONDecodeError"),
        (MISSING, "source", "does not exist"),
    ],
)
def test_a_problem_says_what_happened(host: Host, name: str, kind: str, said: str) -> None:
    problem = problem_of(host, name)
    assert problem["kind"] == kind
    assert said in problem["message"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("raises", 14),
        ("exits", 2),
        ("raises_base", 2),
        ("syntax", 1),
        ("missing_import", 1),
        ("no_schema", 3),
        ("library_fails", 2),
    ],
)
def test_a_problem_names_the_author_s_file_and_line_also_where_a_library_raised(
    host: Host, name: str, line: int
) -> None:
    problem = problem_of(host, name)
    assert (Path(problem["file"]).name, problem["line"]) == (f"{name}.py", line)


@pytest.mark.parametrize("name", ["hangs", "segfaults"])
def test_a_module_that_hangs_or_crashes_says_where(host: Host, name: str) -> None:
    assert f"{name}.py" in problem_of(host, name)["traceback"]


def test_a_class_of_an_author_s_is_named_as_the_author_knows_it(host: Host) -> None:
    message = problem_of(host, "no_schema")["message"]
    assert "<class 'no_schema.Plain'>" in message
    assert "\n" not in message


def test_of_two_blocks_with_one_id_the_first_stays_and_both_are_named(host: Host) -> None:
    assert host.run("lab/twice")["body"] == '{"data":{"text":"first"}}'
    message = problem_of(host, "n_second")["message"]
    assert "m_first.py" in message
    assert "n_second" in message
    assert "_neops_directory_" not in message


def test_nothing_of_a_module_that_hangs_or_crashes_stays_alive(tmp_path: Path) -> None:
    marker = f"import-daemon-{os.getpid()}"
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "starts_daemon.py").write_text(
        "import os, subprocess, sys\n"
        "command = [sys.executable, '-I', '-S', '-c', 'import time; time.sleep(600)', "
        f"'{marker}']\n"
        "subprocess.Popen(command, start_new_session=True)\n"
        "os._exit(1)\n" + BASE
    )
    (tmp_path / "sources" / "works.py").write_text(BLOCK.format(name="good", text='""'))
    with hosted(tmp_path, sources=[str(tmp_path / "sources")]) as host:
        assert host.run("lab/good")["cause"] == "completed"
        wait_until(lambda: alive_with(marker) == [], "what the module had started is killed")


def killed_while_importing(sources: Path, name: str, times: int) -> None:
    """Write a module whose first imports end by SIGKILL, each counted in a file beside it."""
    sources.mkdir(exist_ok=True)
    (sources / f"{name}.py").write_text(
        "import os, pathlib\n"
        f"count = pathlib.Path(__file__).with_suffix('.count')\n"
        "done = count.stat().st_size if count.exists() else 0\n"
        f"if done < {times}:\n"
        "    count.write_text('x' * (done + 1))\n"
        "    os.kill(os.getpid(), 9)\n" + BLOCK.format(name=name, text='""')
    )


def test_an_import_that_somebody_killed_is_tried_again(tmp_path: Path) -> None:
    """Without that, one SIGKILL at the wrong moment fails every job until the worker is started again."""
    killed_while_importing(tmp_path / "sources", "killed_once", 1)
    with hosted(tmp_path, sources=[str(tmp_path / "sources")]) as host:
        assert host.run("lab/killed_once")["cause"] == "completed"


def test_a_module_whose_import_is_always_killed_is_left_out(tmp_path: Path) -> None:
    """It may be what takes all the memory."""
    killed_while_importing(tmp_path / "sources", "killed", 99)
    (tmp_path / "sources" / "works.py").write_text(BLOCK.format(name="good", text='""'))
    with hosted(tmp_path, sources=[str(tmp_path / "sources")]) as host:
        assert host.run("lab/good")["cause"] == "completed"
        assert "SIGKILL" in problem_of(host, "killed")["message"]
    assert (tmp_path / "sources" / "killed.count").stat().st_size == 3


@pytest.fixture(scope="module")
def shadowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Two trees whose directories and modules are called like ours and like the standard library's."""
    directory = tmp_path_factory.mktemp("shadows")
    mine, theirs = directory / "blocks", directory / "sdk"
    for place in (mine, theirs, mine / "jobrunner"):
        place.mkdir()
        (place / "__init__.py").write_text("")
    (mine / "json.py").write_text(BLOCK.format(name="named_json", text='"mine"'))
    (mine / "constants.py").write_text("NAME = 'a neighbour'\n")
    neighbour = "import constants\n" + BLOCK.format(name="uses_neighbour", text="constants.NAME")
    (mine / "neighbour.py").write_text(neighbour)
    relative = "from . import constants\n" + BLOCK.format(name="relative", text="constants.NAME")
    (mine / "relative.py").write_text(relative)
    (mine / "jobrunner" / "nested.py").write_text(BLOCK.format(name="nested", text='"nested"'))
    (mine / "test_skipped.py").write_text("raise AssertionError('a test was imported')\n")
    (theirs / "json.py").write_text(BLOCK.format(name="theirs", text='"theirs"'))
    with hosted(directory, sources=[str(mine), str(theirs), "blocks.testing"]) as host:
        yield host


def test_an_author_s_directories_shadow_nothing(shadowing: Host) -> None:
    assert shadowing.problems == []
    assert "neops_testing/slow:1.0.0" in shadowing.blocks
    assert shadowing.run("slow", {"seconds": 0})["cause"] == "completed"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("named_json", "mine"),
        ("theirs", "theirs"),
        ("nested", "nested"),
        ("uses_neighbour", "a neighbour"),
        ("relative", "a neighbour"),
    ],
)
def test_modules_of_an_author_s_tree_work_under_whatever_name(shadowing: Host, name: str, text: str) -> None:
    assert shadowing.run(f"lab/{name}")["body"] == f'{{"data":{{"text":"{text}"}}}}'


def test_testing_blocks_are_loaded_only_when_named(tmp_path: Path) -> None:
    with hosted(tmp_path, sources=["blocks"]) as host:
        assert "neops_testing/segfault:1.0.0" not in host.blocks
        assert host.blocks


def test_a_new_template_leaves_out_the_same_modules(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "os_exits.py").write_text(MODULES["os_exits"] or "")
    (tmp_path / "sources" / "works.py").write_text(BLOCK.format(name="good", text='""'))
    with hosted(tmp_path, sources=[str(tmp_path / "sources")]) as host:
        first = host.ask("processes")["template"]
        os.kill(first, 9)
        assert [host.run("lab/good")["cause"] for _ in range(3)] == ["completed"] * 3
        assert host.ask("processes")["template"] not in (None, first)
