"""A template without a supervisor's help: what a module finds when it is imported, and when it must not live on."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hosting import ROOT, is_alive

from jobrunner.protocol.coverage import COVERAGE_VARIABLE
from jobrunner.protocol.entry import Discovery
from supervisor.launcher import Imports
from supervisor.launcher.environment import job_environment
from supervisor.launcher.importer import TemplateProcess, start_template
from supervisor.launcher.known_children import KnownChildren
from tests.patience import PATIENCE_SECONDS, wait_until

HANGS = """
import os, time
with open({place!r}, "w") as file:
    file.write(f"{{os.getpid()}}\\n")
time.sleep(600)
"""
STARTS_A_TEMPLATE = """
import asyncio, os, sys
from jobrunner.protocol.entry import Discovery
from supervisor.launcher import Imports
from supervisor.launcher.environment import job_environment
from supervisor.launcher.importer import start_template
from supervisor.launcher.known_children import KnownChildren
imports = Imports(Discovery((sys.argv[1],)), job_environment(os.environ, frozenset()), import_seconds=1000.0)
asyncio.run(start_template(imports, KnownChildren()))
"""
LOOKS_AROUND = """
import faulthandler, json, os, signal, sys
with open({place!r}, "w") as file:
    json.dump({{
        "name": open("/proc/self/comm").read().strip(),
        "leads its session": os.getsid(0) == os.getpid(),
        "argv": sys.argv,
        "ignores": [signal.getsignal(number) == signal.SIG_IGN for number in (signal.SIGINT, signal.SIGTERM)],
        "tells of a crash": faulthandler.is_enabled(),
        "threads of libraries": [os.environ.get("OPENBLAS_NUM_THREADS"), os.environ.get("OMP_NUM_THREADS")],
        "same place for both outputs": os.fstat(1).st_ino == os.fstat(2).st_ino,
        "measures": "coverage" in sys.modules,
    }}, file)
"""


def module(directory: Path, text: str) -> tuple[Path, Path]:
    """Write a module, and return it and the file that it writes."""
    directory.mkdir(exist_ok=True)
    path, place = directory / "at_import.py", directory / "written"
    path.write_text(text.format(place=str(place)))
    return path, place


def test_a_template_that_imports_does_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """While a module is imported, nobody hears that the control socket is closed."""
    path, place = module(tmp_path / "sources", HANGS)
    command = [sys.executable, "-c", STARTS_A_TEMPLATE, str(path)]
    with subprocess.Popen(command, cwd=ROOT) as supervisor:
        pid = wait_until(
            lambda: place.exists() and place.read_text().endswith("\n") and int(place.read_text())
        )
        assert is_alive(pid)
        supervisor.kill()
    wait_until(lambda: not is_alive(pid), "the template has ended")


async def seen_at_import(directory: Path, **environment: str) -> dict[str, Any]:
    path, place = module(directory, LOOKS_AROUND)
    imports = Imports(Discovery((str(path),)), job_environment(os.environ, frozenset()) | environment)
    template, _ = await start_template(imports, KnownChildren())
    await template.end()
    await asyncio.sleep(0)  # its transport is closed a turn later
    seen: dict[str, Any] = json.loads(place.read_text())
    return seen


async def test_a_module_finds_a_process_that_is_not_the_supervisor_s_terminal_s_or_script_s(
    tmp_path: Path,
) -> None:
    assert await seen_at_import(tmp_path) == {
        "name": "neops-template",
        "leads its session": True,
        "argv": ["neops-job"],
        "ignores": [True, True],
        "tells of a crash": True,
        "threads of libraries": ["1", "1"],
        "same place for both outputs": True,
        "measures": False,
    }


async def test_where_tests_measure_the_library_is_there_before_any_child(tmp_path: Path) -> None:
    """Each child would otherwise import it anew."""
    assert (await seen_at_import(tmp_path, **{COVERAGE_VARIABLE: "{}"}))["measures"]


async def test_nothing_of_a_template_can_hold_the_supervisor_s_loop(tmp_path: Path) -> None:
    path, _ = module(tmp_path, HANGS)
    environment = job_environment(os.environ, frozenset())
    template = TemplateProcess(Imports(Discovery((str(path),)), environment), KnownChildren())
    try:
        assert not template.report.getblocking()
        assert not template.control.getblocking()
        assert not os.get_blocking(template._output)
        assert not template.was_killed
    finally:
        await template.end()
        template.report.close()


async def test_a_template_whose_supervisor_hangs_up_ends_in_peace(tmp_path: Path) -> None:
    path, _ = module(tmp_path, LOOKS_AROUND)
    imports = Imports(Discovery((str(path),)), job_environment(os.environ, frozenset()))
    template, _ = await start_template(imports, KnownChildren())
    await asyncio.sleep(0)
    template.control.close()
    assert await template.end_by_itself(PATIENCE_SECONDS) == "exit code 0"
    assert not template.was_killed
