"""The alias's context: the job's own entity stays the job's own, and nothing that was changed is lost unsaid."""

import copy
import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from sdk.compat.finder import install_alias

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
