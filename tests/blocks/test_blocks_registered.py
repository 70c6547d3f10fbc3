"""What the blocks declare about themselves, the misbehaving ones included."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
import typing

import pytest

import blocks
import blocks.devices
import blocks.examples
import blocks.testing
from sdk import registry
from sdk.block_registry import RegisteredBlock
from sdk.schema import engine_schema
from tests.patience import PATIENCE_SECONDS


def load(package: object) -> list[str]:
    """Import the modules of a package, without its subpackages; return their names."""
    path, name = package.__path__, package.__name__  # type: ignore[attr-defined]  # a package has both
    names = [f"{name}.{info.name}" for info in pkgutil.iter_modules(path) if not info.ispkg]
    for module in names:
        importlib.import_module(module)
    return names


PRODUCTION = load(blocks) + load(blocks.devices)
MISBEHAVING = load(blocks.testing)
EXAMPLES = load(blocks.examples)


def blocks_of(package: str) -> dict[str, RegisteredBlock]:
    found = registry.function_blocks.values()
    return {block.registration.name: block for block in found if block.registration.package == package}


ALL = {**blocks_of("neops_base"), **blocks_of("neops_testing"), **blocks_of("neops_examples")}
each_block = pytest.mark.parametrize("block", ALL.values(), ids=ALL.keys())


def test_these_are_the_blocks_for_production() -> None:
    assert set(blocks_of("neops_base")) == {
        *("echo", "ping", "python_eval", "host_facts", "show_command"),
        *(
            "configure",
            "device_facts",
            "interface_facts",
            "neighbors",
            "platform_detect",
            "routes",
            "show_on_group",
        ),
    }


def test_these_are_the_examples_for_authors() -> None:
    assert set(blocks_of("neops_examples")) == {"naming_facts", "port_description", "reachability"}


def test_these_are_the_blocks_that_misbehave() -> None:
    assert set(blocks_of("neops_testing")) == {
        *("hang_await", "hang_sleep", "gil_hog", "spin", "regex_hang"),
        *("segfault", "exit_code", "sys_exit", "kill_parent", "returns_twice"),
        *("ignore_sigterm_tree", "leave_behind"),
        *("eat_memory", "fill_disk", "thread_leak", "close_fds"),
        *("no_result", "not_json_result", "nan_result", "big_result", "circular_result", "deep_result"),
        *("invalid_utf8", "output_flood", "secret_in_error"),
        *("raise_error", "raise_base_exception", "raise_unprintable", "raise_interrupt", "cancel_itself"),
        *("signal_itself", "block_signals", "replace_process"),
        *("slow", "ignores_cancel", "finishes_late", "slow_cleanup"),
        *("writes_env", "read_state"),
    }


def test_no_two_blocks_share_an_id() -> None:
    assert registry.conflicts == []


@pytest.mark.parametrize("module", MISBEHAVING)
def test_a_misbehaving_module_is_loaded_only_when_named(module: str) -> None:
    assert sys.modules[module].__neops_named_only__ is True


def test_of_the_production_modules_only_python_eval_has_to_be_named() -> None:
    marked = [name for name in PRODUCTION if getattr(sys.modules[name], "__neops_named_only__", False)]
    assert marked == ["blocks.python_eval"]


@each_block
def test_a_block_says_what_it_does(block: RegisteredBlock) -> None:
    registration = block.registration
    assert registration.version == (1, 0, 0)
    assert len(registration.description) > 10
    assert 20 < len(registration.markdown_helptext) <= 255
    assert inspect.getdoc(block.cls)


@each_block
def test_a_block_s_place_is_its_own_module(block: RegisteredBlock) -> None:
    assert block.file == inspect.getfile(block.cls)
    assert block.module == block.cls.__module__


@each_block
def test_a_block_is_registered_with_the_models_it_is_written_for(block: RegisteredBlock) -> None:
    written_for = [typing.get_args(base) for base in vars(block.cls)["__orig_bases__"]]
    assert written_for == [(block.registration.param_cls, block.registration.result_cls)]


@each_block
def test_a_block_s_models_have_schemas_that_an_engine_takes(block: RegisteredBlock) -> None:
    for model in (block.registration.param_cls, block.registration.result_cls):
        assert engine_schema(model)["type"] == "object"


@pytest.mark.parametrize("block", blocks_of("neops_testing").values(), ids=blocks_of("neops_testing").keys())
def test_a_misbehaving_block_needs_no_parameters_and_is_never_retried(block: RegisteredBlock) -> None:
    block.registration.param_cls()
    assert not block.registration.is_pure
    assert not block.registration.is_idempotent


def test_importing_every_block_starts_no_thread() -> None:
    modules = ", ".join([*PRODUCTION, *MISBEHAVING, *EXAMPLES])
    source = f"import os, {modules}; print(len(os.listdir('/proc/self/task')))"
    output = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    assert output.stdout == "1\n"
