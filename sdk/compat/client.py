"""Classes of the generated client. Their names differ between its generations."""

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
"""The package's dependencies that this worker does not have: the name to import, and the package to install for it."""


def client_class(*names: str) -> Any:
    """The first of these classes that the installed client has. Raises `ImportError` if it has none.

    They are looked up by name and at run time, because nothing else of this SDK imports the client, and its two
    generations differ in types.
    """
    client = importlib.import_module(_CLIENT)
    for name in names:
        found = getattr(client, name, None)
        if found is not None:
            return found
    raise ImportError(f"the installed {_CLIENT} has no {' or '.join(names)}", name=_CLIENT)


def library(name: str) -> Any:
    """A library that `neops_worker_sdk` installs. If it is missing, raises an `ImportError` that says what to do."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in (name, name.partition(".")[0]):
            raise
        # Without the name of the module: the text says what to do already.
        raise ImportError(f"No module named {name!r}.{way_out_of(error)}") from None


def way_out_of(error: BaseException) -> str:
    """Sentences that say what to do if a block imports a name that neither this worker nor the client has.

    They are for the client's names, and for the libraries that `neops_worker_sdk` installs. For any other error the
    text is empty.
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
    """Database updates in the engine's wire form, as the client's `JobExecutionResultDbUpdatesDto`."""
    one_of = client_class("JobExecutionResultDbUpdatesDtoUpdatesInner")
    # Each update by the class of its operation: the client itself tries all three, and more than one may fit.
    items = [one_of(client_class(_UPDATES[each["operation"]]).from_dict(dict(each))) for each in updates]
    return client_class("JobExecutionResultDbUpdatesDto")(updates=items)


_UPDATES: Final = {"create": "EntityCreateDto", "delete": "EntityDeleteDto", "patch": "EntityPatchDto"}
