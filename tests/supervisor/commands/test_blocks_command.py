"""`supervisor blocks`."""

import json
from pathlib import Path

from commands_support import BASE, supervisor

from jobrunner.discovery.code_digest import CodeDigests

BROKEN = f"x = 1\nraise RuntimeError('no luck')\n{BASE}"
LIMITED = """
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResultData, Registration, register_function_block
)

@register_function_block(Registration(
    package="acme", name="limited", description="", run_on="device", fb_type="check", param_cls=FunctionBlockParams,
    result_cls=FunctionBlockResultData, max_seconds=5, max_memory_mb=100, max_cpu_seconds=2.5,
))
class Limited(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def run(self, params, context): ...
"""


def test_the_catalogue_is_one_line_a_block_with_its_limits_and_its_place(tmp_path: Path) -> None:
    file = tmp_path / "limited.py"
    file.write_text(LIMITED)
    done = supervisor("blocks", "--function-blocks", f"entry-points,{tmp_path}")
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert (done.returncode, done.stderr) == (0, "")
    assert lines["acme/limited:1.0.0"] == [
        "device",
        "check",
        "5",
        "s,",
        "CPU",
        "2.5",
        "s,",
        "100",
        "MB",
        CodeDigests().of("limited", str(file)),
        f"{file}:6",
    ]
    assert lines["neops_base/echo:1.0.0"][:3] == ["global", "none", "-"]
    assert "neops_base/python_eval:1.0.0" not in lines


def test_a_block_of_which_the_author_s_own_code_makes_no_schema_is_named_and_the_rest_is_listed(
    tmp_path: Path,
) -> None:
    marked = "from pydantic import Field\nfrom sdk import FunctionBlockParams as Params\n\n"
    marked += "class Odd(Params):\n    a: int = Field(1, json_schema_extra=lambda schema: 1 / 0)\n"
    text = LIMITED.replace('"limited"', '"odd"').replace("param_cls=FunctionBlockParams", "param_cls=Odd")
    # Imported first: who is imported last was called the one to blame, and left out.
    (tmp_path / "a_odd.py").write_text(marked + text)
    (tmp_path / "limited.py").write_text(LIMITED)
    done = supervisor("blocks", "--json", "--function-blocks", str(tmp_path))
    shown = json.loads(done.stdout)
    assert [block["id"] for block in shown["blocks"]] == ["acme/limited:1.0.0"]
    (problem,) = shown["problems"]
    assert (problem["file"], problem["line"]) == (str(tmp_path / "a_odd.py"), 5)
    assert problem["message"] == "ZeroDivisionError: division by zero"


def test_what_can_not_be_imported_is_named_with_its_place_and_the_rest_is_listed(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "limited.py").write_text(LIMITED)
    done = supervisor("blocks", "--function-blocks", str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path / 'broken.py'}:2: RuntimeError: no luck" in done.stderr
    assert "acme/limited:1.0.0" in done.stdout


def test_a_module_that_starts_a_thread_is_imported_and_a_warning_says_what_it_does(tmp_path: Path) -> None:
    file = tmp_path / "limited.py"
    starts = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    file.write_text(starts + LIMITED)
    done = supervisor("blocks", "--function-blocks", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "acme/limited:1.0.0" in done.stdout
    assert f"supervisor blocks: warning: {file}: started a thread" in done.stderr
    assert "not imported" not in done.stderr


def test_a_directory_that_does_not_exist_is_a_problem() -> None:
    done = supervisor("blocks", "--function-blocks", "/no/such/place")
    assert done.returncode == 1
    assert "/no/such/place: does not exist" in done.stderr


def test_json_has_both_and_no_word_beside_it(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "limited.py").write_text(LIMITED)
    done = supervisor("blocks", "--json", "--function-blocks", str(tmp_path))
    shown = json.loads(done.stdout)
    assert done.returncode == 1
    assert [block["id"] for block in shown["blocks"]] == ["acme/limited:1.0.0"]
    assert (shown["blocks"][0]["max_seconds"], shown["blocks"][0]["run_on"]) == (5, "device")
    (problem,) = shown["problems"]
    assert (problem["kind"], problem["line"]) == ("error", 2)


def test_an_unknown_flag_is_wrong_usage() -> None:
    done = supervisor("blocks", "--bananas")
    assert done.returncode == 2
    assert "--bananas" in done.stderr
