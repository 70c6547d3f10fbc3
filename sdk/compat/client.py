"""Classes of the generated client, whose names differ between its generations."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, Final

_CLIENT: Final = "neops_workflow_engine_client"

_BROUGHT_ALONG: Final = {
    "RestrictedPython": "restrictedpython",
    "asyncssh": "asyncssh",
    "hier_config": "hier-config",
    "httpx": "httpx",
    "loguru": "loguru",
    "napalm": "napalm",
    "ncclient": "ncclient",
    "pynetbox": "pynetbox",
    "regex": "regex",
    "scrapli": "scrapli2",
    "slugify": "python-slugify",
}
"""The package's dependencies that are none of this worker: what is imported, and what is installed for it."""


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


def library(name: str) -> Any:
    """A library that `neops_worker_sdk` brings along. Raises `ImportError`, with the way out, where it is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in (name, name.partition(".")[0]):
            raise
        # Without the name of the module: the way out is said here already.
        raise ImportError(f"No module named {name!r}.{way_out_of(error)}") from None


def way_out_of(error: BaseException) -> str:
    """What to do when a block imports what neither this worker nor the installed client has, as sentences.

    Of the client's names, and of the libraries that `neops_worker_sdk` brings along; empty for any other error.
    """
    missing = error.name if isinstance(error, ImportError) else None
    top = (missing or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and top in _BROUGHT_ALONG:
        return (
            f" neops_worker_sdk brings this library along, and this worker does not: install {_BROUGHT_ALONG[top]} "
            "into the worker's environment."
        )
    if top != _CLIENT:
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
