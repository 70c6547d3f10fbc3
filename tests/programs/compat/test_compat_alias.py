"""The alias: found only where the package is not, and clear about what it lacks."""

import importlib
import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sdk.compat.client import way_out_of
from sdk.compat.finder import install_alias
from sdk.compat.imported_names import imported_names
from sdk.compat.migration_hints import NotCoveredError, published_names
from sdk.compat.re_exports import RE_EXPORTS
from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import ROOT

STAND_IN = Path(__file__).parent / "stand_in"
ALIAS = ROOT / "sdk" / "compat" / "alias"

_RESTRICTED = "neops_worker_sdk.connection.utils.restricted_python"
_BROUGHT = "brings this library along"

install_alias()


def alias_modules() -> list[str]:
    """The dotted names of all modules of the alias."""
    paths = [path.relative_to(ALIAS).with_suffix("") for path in sorted(ALIAS.rglob("*.py"))]
    files = [".".join(path.parts).removesuffix("__init__").rstrip(".") for path in paths]
    return [f"neops_worker_sdk.{name}".rstrip(".") for name in sorted({*files, *RE_EXPORTS})]


def run_python(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": ":".join(map(str, (ROOT, *paths)))}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


@pytest.mark.parametrize("name", alias_modules())
def test_every_module_of_the_alias_is_imported_under_the_package_s_name(name: str) -> None:
    if name.startswith(_RESTRICTED) and importlib.util.find_spec("RestrictedPython") is None:
        with pytest.raises(ImportError, match="install restrictedpython into the worker's environment"):
            importlib.import_module(name)
        return
    module = importlib.import_module(name)
    assert module.__name__ == name
    assert all(hasattr(module, each) for each in getattr(module, "__all__", ()))


IMPORTS = """
import neops_worker_sdk.workflow.workflow_context as m; m.WorkflowContext
import neops_worker_sdk.function_block.function_block
neops_worker_sdk.function_block.function_block.FunctionBlock
from neops_worker_sdk.workflow import workflow_context; workflow_context.WorkflowContext
from neops_worker_sdk.workflow import WorkflowContext
assert WorkflowContext is workflow_context.WorkflowContext is m.WorkflowContext
from neops_worker_sdk.registry import registry; registry.function_blocks
from neops_worker_sdk.connection.proxy.proxy import ConnectionProxy
import importlib; importlib.import_module('neops_worker_sdk.logger.adapters').logger_for
"""


def test_each_form_of_import_works_and_gives_the_same_objects() -> None:
    done = run_python(f"from sdk.compat.finder import install_alias\ninstall_alias()\n{IMPORTS}")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_function_that_has_the_name_of_its_module_is_never_replaced_by_the_module() -> None:
    package = importlib.import_module("neops_worker_sdk.concurrency")
    for name in ("run_in_thread", "run_parallel"):
        importlib.import_module(f"neops_worker_sdk.concurrency.{name}")
        assert not isinstance(getattr(package, name), ModuleType)


def test_an_installed_package_is_imported_and_the_alias_stays_away() -> None:
    code = (
        "from sdk.compat.finder import install_alias, is_alias\ninstall_alias()\n"
        "import neops_worker_sdk, neops_worker_sdk.registry as r\n"
        "print(is_alias(neops_worker_sdk), r.__file__)"
    )
    done = run_python(code, STAND_IN)
    assert done.stdout.split()[0] == "False", done.stderr
    assert str(STAND_IN) in done.stdout


def test_without_the_alias_the_package_is_not_there() -> None:
    assert "No module named 'neops_worker_sdk'" in run_python("import neops_worker_sdk").stderr


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("neops_worker_sdk.connection.plugins.ios", "register a ConnectionPlugin of your own"),
        ("neops_worker_sdk.connection.plugins.frr.netmiko_plugin", "use sdk.connection in run()"),
        ("neops_worker_sdk.connection.utils.textfsm", "Use ntc-templates"),
        ("neops_worker_sdk.cli.neops_worker", "which this one replaces"),
        ("neops_worker_sdk.no_such_module", "Look for a misspelling"),
    ],
)
def test_a_module_that_is_not_covered_is_named_with_a_way_out(name: str, advice: str) -> None:
    with pytest.raises(NotCoveredError) as caught:
        importlib.import_module(name)
    assert name.startswith(str(caught.value.missing))
    assert advice in str(caught.value)
    assert "install neops_worker_sdk beside this worker" in str(caught.value)


@pytest.mark.parametrize("name", sorted(published_names()))
def test_a_published_name_is_there_or_is_said_to_be_known_and_not_covered(name: str) -> None:
    full = f"neops_worker_sdk.{name}"
    module, _, last = full.rpartition(".")
    said = ""
    try:
        if not hasattr(importlib.import_module(module), last):
            importlib.import_module(full)
    except ImportError as error:
        said = str(error)
    assert not said or _BROUGHT in said or "that this worker does not cover" in said
    assert not said or _BROUGHT in said or "; or install neops_worker_sdk" in said
    assert "misspelling" not in said


@pytest.mark.parametrize(
    "name", ["connection.plugins.nonesuch", "logger.redaction.Redacter", "workflow.entities.R"]
)
def test_only_a_name_that_the_package_does_not_publish_is_called_misspelt(name: str) -> None:
    module, _, last = f"neops_worker_sdk.{name}".rpartition(".")
    with pytest.raises(NotCoveredError, match="Look for a misspelling"):
        exec(f"from {module} import {last}")


def test_a_name_that_a_module_only_imports_is_handed_on_or_said_to_be_known() -> None:
    wrong: list[str] = []
    for name, home in imported_names().items():
        module, _, last = f"neops_worker_sdk.{name}".rpartition(".")
        try:
            found = getattr(importlib.import_module(module), last)
            place = importlib.import_module(f"neops_worker_sdk{home}" if home.startswith(".") else home)
            as_said = found is getattr(place, last)
        except (ImportError, AttributeError) as error:
            reasons = ("that this worker does not cover", " is installed, and its names differ", _BROUGHT)
            as_said = any(each in f"{error}{way_out_of(error)}" for each in reasons)
        if not as_said:
            wrong.append(name)
    assert wrong == []


def test_a_client_s_class_that_modules_hand_on_is_the_client_s_own() -> None:
    scope: dict[str, Any] = {}
    exec(
        "from neops_worker_sdk.function_block.function_block import EntityAcquireByExpansion, EntityAcquireReference\n"
        "from neops_worker_sdk.workflow.workflow_context import DeviceTypeDto, WorkflowContext\n"
        "from neops_worker_sdk.connection.proxy.proxy import DeviceTypeDto as Another\n"
        "from neops_worker_sdk.workflow.workflow_context import EntityType",
        scope,
    )
    client = importlib.import_module("neops_workflow_engine_client")
    assert scope["DeviceTypeDto"] is scope["Another"] is client.DeviceTypeDto
    assert scope["EntityAcquireReference"] is client.EntityAcquireReference


@pytest.mark.parametrize(
    ("library", "distribution"), [("hier_config", "hier-config"), ("asyncssh", "asyncssh")]
)
def test_a_library_that_the_package_would_have_brought_along_is_named_with_what_to_install(
    library: str, distribution: str
) -> None:
    error = ModuleNotFoundError(f"No module named {library!r}", name=library)
    assert f"install {distribution} into the worker's environment" in way_out_of(error)


def test_a_name_that_the_installed_client_lacks_is_refused_with_its_version_and_a_way_out() -> None:
    with pytest.raises(ImportError) as caught:
        exec("from neops_workflow_engine_client import NoSuchDto")
    version = metadata.version("neops_workflow_engine_client")
    assert f"neops_workflow_engine_client {version} is installed" in way_out_of(caught.value)
    assert "Install the version that the block was written for" in way_out_of(caught.value)
    assert way_out_of(ImportError("x", name="json")) == way_out_of(ValueError()) == ""


def test_a_name_that_is_not_covered_is_named_with_its_module() -> None:
    with pytest.raises(NotCoveredError) as caught:
        exec("from neops_worker_sdk.logger.redaction import Unheard")
    assert caught.value.missing == "neops_worker_sdk.logger.redaction.Unheard"


def test_a_probe_for_a_private_name_finds_nothing_and_raises_nothing() -> None:
    module = importlib.import_module("neops_worker_sdk.logger")
    assert not hasattr(module, "__wrapped__")
    assert not hasattr(module, "_private")


def test_the_directories_of_blocks_are_the_same_list_under_both_names() -> None:
    code = (
        "import os\nos.environ['DIR_FUNCTION_BLOCKS'] = 'blocks, more'\n"
        "from sdk.compat.finder import install_alias\ninstall_alias()\n"
        "from neops_worker_sdk.config import Config, DIR_FUNCTION_BLOCKS\n"
        "print(DIR_FUNCTION_BLOCKS, Config.fb_directories())"
    )
    done = run_python(code)
    assert done.stdout == "['blocks', 'more'] ['blocks', 'more']\n", done.stderr


def test_a_name_is_replaced_in_its_module_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("neops_worker_sdk.config")
    before = module.POLL_INTERVAL
    with monkeypatch.context() as patch:
        patch.setattr("neops_worker_sdk.config.POLL_INTERVAL", 99)
        assert module.POLL_INTERVAL == 99
    assert before == module.POLL_INTERVAL


def test_a_module_of_the_alias_is_in_the_table_or_in_a_file_and_never_in_both() -> None:
    files = {
        ".".join(path.relative_to(ALIAS).with_suffix("").parts).removesuffix(".__init__")
        for path in ALIAS.rglob("*.py")
    }
    assert files & RE_EXPORTS.keys() == set()
    homes = {home for _, names in RE_EXPORTS.values() for home in names if home.startswith(".")}
    assert {home[1:] for home in homes} <= files | RE_EXPORTS.keys()
