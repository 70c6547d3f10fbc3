"""The import rules of `.importlinter`: this checkout keeps them, and each of them notices when it is broken.

For the second, the real linter applies the real rules to a small tree of the same shape, with one import
too many in it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
RULES = ROOT / ".importlinter"

MODULES = [
    "supervisor.commands.daemon",
    "supervisor.cli",
    "supervisor.worker.daemon",
    "supervisor.worker.control.table",
    "supervisor.worker.control_socket.server",
    "supervisor.engine.adapter",
    "supervisor.journal.store",
    "supervisor.journal.ended_jobs.store",
    "supervisor.job.runner",
    "supervisor.watch.sampler",
    "supervisor.job.host_key_reports",
    "supervisor.job.host_keys.store",
    "supervisor.launcher.child",
    "supervisor.settings.run_settings",
    "supervisor.log.setup",
    "supervisor.keeper",
    "supervisor.process.proc",
    "supervisor.errors",
    "supervisor.lifecycle.job",
    "supervisor.verdict.table",
    "jobrunner.child",
    "jobrunner.template",
    "jobrunner.protocol.frames",
    "sdk.models",
    "sdk.devengine.server",
    "sdk.testing.plugin",
    "blocks.echo",
    "blocks.devices.facts",
    "blocks.examples.facts",
]

# All that is allowed and near to what is not.
GOOD_IMPORTS = {
    "supervisor.worker.daemon": ["jobrunner.protocol.frames", "supervisor.engine.adapter", "asyncio", "os"],
    "supervisor.engine.adapter": ["neops_workflow_engine_client", "aiohttp"],
    "supervisor.lifecycle.job": ["enum", "signal"],
    "supervisor.commands.daemon": ["supervisor.worker.daemon", "supervisor.cli"],
    "supervisor.job.runner": [
        "supervisor.watch.sampler",
        "supervisor.job.host_keys.store",
        "supervisor.launcher.child",
        "supervisor.lifecycle.job",
    ],
    "supervisor.journal.ended_jobs.store": ["supervisor.process.proc", "supervisor.log.setup"],
    "supervisor.job.host_keys.store": ["supervisor.process.proc", "supervisor.errors"],
    "supervisor.watch.sampler": ["supervisor.launcher.child", "supervisor.process.proc"],
    "supervisor.launcher.child": ["supervisor.process.proc", "supervisor.errors"],
    "supervisor.settings.run_settings": ["supervisor.log.setup", "supervisor.process.proc"],
    "supervisor.keeper": ["supervisor.process.proc"],
    "jobrunner.child": ["sdk.models", "jobrunner.protocol.frames", "asyncio"],
    "jobrunner.template": ["jobrunner.child"],
    "jobrunner.protocol.frames": ["asyncio", "pydantic"],
    "sdk.devengine.server": ["aiohttp", "sqlite3"],
    "sdk.testing.plugin": ["sdk.devengine.server", "sdk.models"],
    "blocks.echo": ["sdk.models"],
    "blocks.examples.facts": ["sdk.models", "sdk.testing.plugin"],
}

# (importer, imported, words of the rule that must be reported as broken)
FORBIDDEN = [
    ("supervisor.worker.daemon", "blocks.echo", "supervisor knows"),
    ("supervisor.worker.daemon", "sdk.models", "supervisor knows"),
    ("supervisor.worker.daemon", "jobrunner.child", "supervisor knows"),
    ("supervisor.worker.daemon", "jobrunner", "supervisor knows"),
    ("supervisor.worker.daemon", "supervisor.commands.daemon", "in levels"),
    ("supervisor.process.proc", "supervisor.commands.daemon", "in levels"),
    ("supervisor.job.runner", "supervisor.worker.daemon", "in levels"),
    ("supervisor.launcher.child", "supervisor.watch.sampler", "in levels"),
    ("supervisor.process.proc", "supervisor.keeper", "in levels"),
    ("supervisor.engine.adapter", "supervisor.journal.store", "in levels"),
    ("supervisor.worker.control_socket.server", "supervisor.worker.control.table", "inside rooms"),
    ("supervisor.journal.ended_jobs.store", "supervisor.journal.store", "inside rooms"),
    ("supervisor.job.host_keys.store", "supervisor.job.host_key_reports", "inside rooms"),
    ("supervisor.launcher.child", "supervisor.watch.sampler", "no circle"),
    ("jobrunner.child", "jobrunner.template", "no circle"),
    ("sdk.models", "sdk.testing.plugin", "no circle"),
    ("jobrunner.protocol.frames", "jobrunner.child", "jobrunner.protocol stands alone"),
    ("jobrunner.protocol.frames", "sdk.models", "jobrunner.protocol stands alone"),
    ("jobrunner.child", "supervisor.worker.daemon", "jobrunner knows"),
    ("jobrunner.child", "blocks.echo", "jobrunner knows"),
    ("sdk.models", "supervisor.worker.daemon", "sdk knows"),
    ("sdk.models", "jobrunner.child", "sdk knows"),
    ("sdk.models", "blocks.echo", "sdk knows"),
    ("blocks.echo", "supervisor.worker.daemon", "blocks know"),
    ("blocks.echo", "jobrunner.child", "blocks know"),
    ("supervisor.lifecycle.job", "asyncio", "are pure"),
    ("supervisor.lifecycle.job", "os.path", "are pure"),
    ("supervisor.verdict.table", "time", "are pure"),
    ("supervisor.verdict.table", "jobrunner.protocol.frames", "are pure"),  # which imports asyncio
    ("supervisor.worker.daemon", "neops_workflow_engine_client", "only supervisor.engine imports"),
    ("jobrunner.child", "neops_workflow_engine_client.api", "only supervisor.engine imports"),
    ("sdk.testing.plugin", "aiohttp", "speak HTTP"),
    ("sdk.models", "sdk.devengine.server", "sdk.devengine is loaded"),
    ("blocks.echo", "sdk.testing.plugin", "sdk.testing is loaded"),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter as `make lint` does, in a process of its own: it finds packages by importing them."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--config", str(RULES), "--no-cache", "--no-logo"]
    wide = os.environ | {"COLUMNS": "200"}  # or the report would break long names in two
    return subprocess.run(
        command, cwd=tree, env=wide, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def plant(tree: Path, imports: dict[str, list[str]]) -> Path:
    """Write a tree of packages with the modules above and these imports in them."""
    for module in MODULES:
        path = tree.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"import {name}\n" for name in imports.get(module, [])))
        for package in path.relative_to(tree).parents:
            (tree / package / "__init__.py").touch()
    return tree


def broken_rules(report: str) -> list[str]:
    """Return the names of the rules that the linter calls broken, without those it keeps."""
    return re.findall(r"^(.+) BROKEN\b", report, flags=re.MULTILINE)


def test_this_checkout_keeps_every_import_rule() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_the_rules_allow_is_not_reported(tmp_path: Path) -> None:
    result = lint(plant(tmp_path, GOOD_IMPORTS))
    assert result.returncode == 0, result.stdout + result.stderr
    assert broken_rules(result.stdout) == []


@pytest.mark.parametrize(("importer", "imported", "rule"), FORBIDDEN)
def test_a_forbidden_import_breaks_its_rule(tmp_path: Path, importer: str, imported: str, rule: str) -> None:
    imports = GOOD_IMPORTS | {importer: [*GOOD_IMPORTS.get(importer, []), imported]}
    result = lint(plant(tmp_path, imports))
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(rule in name for name in broken_rules(result.stdout)), result.stdout


def test_the_core_of_sdk_needs_the_standard_library_and_pydantic_only() -> None:
    graph = grimp.build_graph("sdk", include_external_packages=True, cache_dir=None)
    apart = ("sdk.devengine", "sdk.testing", "sdk.connection")  # the last is what speaks SSH
    core = {name for name in graph.modules if name.split(".")[0] == "sdk" and not name.startswith(apart)}
    needed = {name for module in core for name in graph.find_modules_directly_imported_by(module)} - core
    needed = {name for name in needed if not name.startswith(apart)}  # a rule of its own
    of_pydantic = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
    assert needed - sys.stdlib_module_names - of_pydantic == set()
