"""Classes of the generated client, whose names differ between its generations."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, Final

_CLIENT: Final = "neops_workflow_engine_client"


def client_class(*names: str) -> Any:
    """The first of these classes that the installed client has. Raises `ImportError` when it has none.

    By name and at run time: nothing else of this SDK imports the client, and its two generations differ in types.
    """
    client = importlib.import_module(_CLIENT)
    for name in names:
        found = getattr(client, name, None)
        if found is not None:
            return found
    raise ImportError(f"the installed {_CLIENT} has no {' or '.join(names)}", name=_CLIENT)


def way_out_of(error: BaseException) -> str:
    """What to do when the client lacks what a block imports from it, as a sentence; empty for any other error."""
    missing = error.name if isinstance(error, ImportError) else None
    if missing is None or missing.partition(".")[0] != _CLIENT:
        return ""
    try:
        installed = f"{_CLIENT} {metadata.version(_CLIENT)} is installed"
    except metadata.PackageNotFoundError:
        installed = f"{_CLIENT} is not installed"
    return (
        f" {installed}, and its names differ from version to version. Install the version that the block was "
        "written for into the worker's environment, or use the classes of sdk."
    )


def updates_dto(updates: Sequence[Mapping[str, Any]]) -> Any:
    """Database updates in the engine's wire shape as the client's `JobExecutionResultDbUpdatesDto`."""
    one_of = client_class("JobExecutionResultDbUpdatesDtoUpdatesInner")
    # Each by the class of its operation: the client itself tries all three, and finds more than one that fits.
    items = [one_of(client_class(_UPDATES[each["operation"]]).from_dict(dict(each))) for each in updates]
    return client_class("JobExecutionResultDbUpdatesDto")(updates=items)


_UPDATES: Final = {"create": "EntityCreateDto", "delete": "EntityDeleteDto", "patch": "EntityPatchDto"}
