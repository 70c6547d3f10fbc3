"""What a record does not say is nothing: no, none, zero. What is not so by itself is named here."""

import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel

from jobrunner.discovery import module_choice, top_level
from jobrunner.protocol import catalogue, control, messages
from supervisor.journal import records, row, rows
from supervisor.launcher import child_wait, interface, shared_directories, user_leftovers
from supervisor.process import kernel_isolation, machine, memory, proc
from supervisor.process.cgroups import delegation, leftovers
from supervisor.watch import cpu, sampler

MESSAGES = [
    one for one in vars(messages).values() if isinstance(one, type) and issubclass(one, messages.Header)
]
RECORDS: list[type[Any]] = [
    *MESSAGES,
    catalogue.BlockEntry,
    catalogue.Catalogue,
    control.ChildRequest,
    control.Started,
    module_choice.Candidate,
    module_choice.Found,
    top_level.Applied,
    top_level.Text,
    records.StoredResult,
    row.Differences,
    row.Row,
    rows.Loaded,
    child_wait.ChildWait,
    interface.Imports,
    shared_directories.SharedDirectories,
    user_leftovers._Round,
    kernel_isolation.KernelIsolation,
    machine.Machine,
    memory.Inherited,
    memory.Mapped,
    proc.Stat,
    proc.Tree,
    delegation.HandedDown,
    leftovers.Cleared,
    cpu._Watched,
    sampler._Watched,
]
SOMETHING = {
    "ChildRequest.rehearses": True,  # the children that wait for jobs
    "Imports.import_seconds": 30.0,  # the default of the setting
    "Inherited.others_have_it": True,  # what nobody has looked at is taken to be shared
    "Order.host_keys": "accept-new",  # the default of the setting
    "Row.version": 1,
    "SharedDirectories.complete": True,
    "Text.file": "<text>",
    "Tree.complete": True,
}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_what_a_record_does_not_say_is_nothing(record: type[Any]) -> None:
    said = {name: value for name, value in defaults(record).items() if value or name in SOMETHING}
    assert said == {
        name: value for name, value in SOMETHING.items() if name.startswith(f"{record.__name__}.")
    }


def defaults(record: type[Any]) -> dict[str, Any]:
    """Return the defaults of a record's fields by their names; not the name of a message's own type."""
    if issubclass(record, BaseModel):
        there = {
            name: field.default for name, field in record.model_fields.items() if not field.is_required()
        }
        there.pop("type", None)
    else:
        there = {field.name: field.default for field in dataclasses.fields(record)}
        there = {name: value for name, value in there.items() if value is not dataclasses.MISSING}
    return {f"{record.__name__}.{name}": value for name, value in there.items()}


def test_what_passes_between_processes_is_neither_changed_nor_extended() -> None:
    models = [
        *MESSAGES,
        catalogue.BlockEntry,
        catalogue.Catalogue,
        catalogue.ImportProblem,
        catalogue.LeftOut,
    ]
    assert {str(one.model_config) for one in models} == {"{'frozen': True, 'extra': 'forbid'}"}
