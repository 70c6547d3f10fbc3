"""The alias's context: the job's own entity stays the job's own, and nothing that was changed is lost unsaid."""

import copy
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sdk.compat.finder import install_alias
from sdk.masking import Masking, use_masking
from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import ROOT

install_alias()

PASSWORD = "never-to-be-seen-3"
TWO: dict[str, Any] = {"devices": [{"id": 7, "hostname": "a"}, {"id": 8, "hostname": "b"}]}


def context_of(warnings: list[str]) -> Any:
    """A context of the alias whose job runs on device 7."""
    module = importlib.import_module("neops_worker_sdk.workflow.workflow_context")
    return module.WorkflowContext.from_job(copy.deepcopy(TWO), "device", 7, warn=warnings.append)


def updates_of(context: Any) -> list[tuple[str, int, str]]:
    """What, of which device, and which field or an empty text."""
    updates = context.compute_db_updates()
    items = [each.actual_instance for each in updates.updates] if updates else []
    return [(each.operation, int(each.id), getattr(each, "path", "")) for each in items]


def _remove(context: Any) -> None:
    context.devices.remove(context.device)


def _clear(context: Any) -> None:
    context.devices.clear()


def _another_list(context: Any) -> None:
    context.devices = context.devices[1:]


@pytest.mark.parametrize("take_out", [_remove, _clear, _another_list])
def test_a_device_that_is_taken_out_of_the_list_stays_the_job_s_and_is_deleted(
    take_out: Callable[[Any], None],
) -> None:
    warnings: list[str] = []
    context = context_of(warnings)
    take_out(context)
    assert context.device.hostname == "a"
    assert ("delete", 7, "") in updates_of(context)
    assert warnings == []


@pytest.mark.parametrize("other", [None, SimpleNamespace(id=7), SimpleNamespace(), 7])
def test_anything_can_be_assigned_and_changes_no_list(other: Any) -> None:
    warnings: list[str] = []
    context = context_of(warnings)
    context.device = other
    assert context.device is other
    assert updates_of(context) == warnings == []
    assert context.secrets() == frozenset()


def test_the_own_entities_of_other_kinds_are_none_and_can_be_assigned_as_well() -> None:
    context = context_of([])
    assert (context.interface, context.device_group) == (None, None)
    context.interface = context.devices[1]
    assert context.interface.hostname == "b"


def test_a_change_in_an_object_that_is_not_the_list_s_is_not_sent_and_said() -> None:
    warnings: list[str] = []
    context = context_of(warnings)
    context.device = context.device.model_copy(update={"hostname": "x", "vendor": "v"})
    assert updates_of(context) == []
    assert warnings == [
        "context.device is another object than the device 7 in context.devices. What was changed in it is not sent: "
        "hostname, vendor."
    ]


def test_where_the_list_has_the_change_too_or_the_job_s_object_is_as_it_came_there_is_nothing_to_say() -> (
    None
):
    warnings: list[str] = []
    context = context_of(warnings)
    context.devices[0] = context.device.model_copy(update={"vendor": "v"})
    assert context.device.vendor is None
    assert updates_of(context) == [("patch", 7, "vendor")]
    context.device.vendor = "v"
    assert updates_of(context) == [("patch", 7, "vendor")]
    assert warnings == []


def test_a_password_of_an_object_that_is_not_the_list_s_is_a_secret() -> None:
    context = context_of([])
    context.device = context.device.model_copy(update={"password": PASSWORD})
    assert PASSWORD in context.secrets()


def test_a_copy_of_a_context_has_its_own_entity() -> None:
    copied = copy.deepcopy(context_of([]))
    assert copied.device is copied.devices[0]


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What whoever masks was told of, in this order."""
    secrets: list[str] = []
    use_masking(Masking(tell=secrets.append))
    yield secrets
    use_masking(Masking())


ONE_OF_EACH: dict[str, Any] = {
    "devices": [{"id": 7, "hostname": "a", "password": "came-with-the-job-7"}],
    "interfaces": [{"id": 7, "name": "Gi0/1"}],
    "deviceGroups": [{"id": 7, "name": "core"}],
}


@pytest.mark.parametrize(
    ("run_on", "attribute"), [("device", "device"), ("interface", "interface"), ("group", "device_group")]
)
def test_a_secret_of_a_copy_in_place_of_the_job_s_entity_is_masked_from_then_on(
    run_on: str, attribute: str, told: list[str]
) -> None:
    module = importlib.import_module("neops_worker_sdk.workflow.workflow_context")
    context = module.WorkflowContext.from_job(copy.deepcopy(ONE_OF_EACH), run_on, 7)
    assert told == []
    secret = f"set-by-the-block-{run_on}"
    changed = getattr(context, attribute).model_copy(update={"facts": {"enable_password": secret}})
    setattr(context, attribute, changed)
    assert getattr(context, attribute) is changed
    assert told == [secret], "what came with the job is masked anyway"


class Closed(dict[str, Any]):
    """A mapping that shows nothing."""

    def items(self) -> Any:
        raise RuntimeError("not to be looked into")


def test_what_can_not_be_looked_into_can_be_assigned_too(told: list[str]) -> None:
    context = context_of([])
    for other in (Closed(password=PASSWORD), SimpleNamespace(id=[]), {"password": "of-a-plain-dict"}):
        context.device = other
        assert context.device is other
    assert told == ["of-a-plain-dict"]


def test_a_class_of_the_block_s_may_assign_before_the_context_is_read() -> None:
    module = importlib.import_module("neops_worker_sdk.workflow.workflow_context")

    class Early(module.WorkflowContext):  # type: ignore[misc,name-defined]  # loaded at run time
        def __init__(self, *arguments: Any, **more: Any) -> None:
            self.device = {"password": PASSWORD}
            super().__init__(*arguments, **more)

    assert Early.from_job(copy.deepcopy(TWO), "device", 7).device.hostname == "a"


RENEWING = f"""
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration

@register_function_block(Registration(
    name="renew", package="tests", description="Takes another login", run_on="device", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData,
))
class Renew(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def acquire(self, params): ...

    async def run(self, params, context):
        context.device = context.device.model_copy(update={{"password": "{PASSWORD}"}})
        self.logger.warning(f"Now with {{context.device.password}}, {{context.device.hostname}}")
        return FunctionBlockResult(message="Done", success=True)
"""


def test_the_log_of_a_job_shows_nothing_of_the_password_of_such_a_copy(tmp_path: Path) -> None:
    block = tmp_path / "renew.py"
    block.write_text(RENEWING)
    given = json.dumps({"devices": ONE_OF_EACH["devices"]})
    done = subprocess.run(
        [
            *(sys.executable, "-m", "supervisor", "run-block", "renew"),
            *("--function-blocks", str(block), "--context", given),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Now with ***, a" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
