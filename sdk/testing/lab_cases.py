"""A case with a lab: what it needs, and its context."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from sdk.context.kinds import DEVICE, GROUP
from sdk.registration import RunOn
from sdk.testing.case import Case
from sdk.testing.contexts import create_workflow_context
from sdk.testing.labs import devices_of, is_one_device
from sdk.testing.wire import context_of

LabParams = BaseModel | Mapping[str, Any] | Callable[[Any], BaseModel | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Lab:
    """The lab's part of a case. See `sdk.testing.fb_test_case_with_lab`."""

    fixture: str | None
    run_on: str
    base_devices: tuple[Any, ...] = field(repr=False)
    base_groups: tuple[Any, ...] = field(repr=False)
    params: LabParams = field(repr=False)


def check_lab_case(case: Case, lab: Lab) -> None:
    """Raise `ValueError` for a case that can't run."""
    where = f"The lab case {case.description!r}"
    fixture: Any = lab.fixture
    if fixture is not None and not (isinstance(fixture, str) and fixture.isidentifier()):
        raise ValueError(
            f"{where} has {fixture!r} as remote_lab_fixture: give the name of a pytest fixture, as text."
        )
    if lab.run_on not in _RUNS_ON:
        raise ValueError(
            f"{where} can't run on {lab.run_on!r}. It can run on {', '.join(_RUNS_ON)}; "
            "for anything else use block_runner with a context of its own."
        )
    if lab.run_on == RunOn.DEVICE and lab.fixture is None and not lab.base_devices:
        raise ValueError(f"{where} has no device to run on: give remote_lab_fixture or base_devices.")
    if lab.run_on == RunOn.GROUP and not lab.base_groups:
        raise ValueError(f"{where} has no group to run on: give base_device_groups.")
    if lab.fixture is None and callable(lab.params):
        raise ValueError(
            f"{where} has a function as params, and no lab to call it with: give the parameters."
        )


_RUNS_ON = (RunOn.GLOBAL, RunOn.DEVICE, RunOn.GROUP)


def with_lab(case: Case, lab: Lab, yielded: Any) -> Case:
    """Return `case` with the parameters and the context for one run. `yielded` is what the fixture yielded.

    Nothing in it is shared with another run, or with the decorator's arguments. Raises `HarnessError` if the fixture
    yielded no devices.
    """
    base = context_of({DEVICE.key: lab.base_devices, GROUP.key: lab.base_groups})
    # Read only once: a fixture may yield an iterator.
    found: Any = list(yielded) if isinstance(yielded, Iterable) and not is_one_device(yielded) else yielded
    devices = base[DEVICE.key]
    if lab.fixture is not None:
        devices = [*devices_of(found, [device.get("id") for device in devices]), *devices]
    entity_id = None
    if lab.run_on == RunOn.DEVICE:
        entity_id = devices[0].get("id")
    elif lab.run_on == RunOn.GROUP:
        entity_id = base[GROUP.key][0].get("id")
    context = create_workflow_context(lab.run_on, entity_id, devices, base[GROUP.key])
    params = lab.params(found) if callable(lab.params) else lab.params
    return replace(case, params=params, context=context)
