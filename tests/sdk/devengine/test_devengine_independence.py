"""The embedded engine stands alone: it uses nothing of the core of `sdk`, so neither can break the other."""

import subprocess
import sys
from pathlib import Path

import grimp

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]


def test_the_engine_imports_nothing_of_the_core() -> None:
    graph = grimp.build_graph("sdk")
    engine = graph.find_descendants("sdk.devengine") | {"sdk.devengine"}
    imported = {name for module in engine for name in graph.find_modules_directly_imported_by(module)}
    assert imported - engine == set()


def test_importing_the_engine_starts_no_event_loop_and_loads_no_client() -> None:
    program = (
        "import asyncio, sys, sdk.devengine\n"
        "assert asyncio.events._get_running_loop() is None\n"
        "assert 'neops_workflow_engine_client' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=PATIENCE_SECONDS)
