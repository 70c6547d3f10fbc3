"""Classes of the generated client, whose names differ between its generations."""

from __future__ import annotations

import importlib
from typing import Any


def client_class(*names: str) -> Any:
    """The first of these classes that the installed client has. Raises ``ImportError`` when it has none.

    By name and at run time: nothing else of this SDK imports the client, and its two generations differ in types.
    """
    client = importlib.import_module("neops_workflow_engine_client")
    for name in names:
        found = getattr(client, name, None)
        if found is not None:
            return found
    raise ImportError(f"the installed neops_workflow_engine_client has no {' or '.join(names)}")
