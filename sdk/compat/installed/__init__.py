"""Blocks of an installed `neops_worker_sdk`, run by its own code in this worker's children.

Nothing here imports that package, its device plugins apart. It is there when the author's module has imported it, and
is then found by the names of its modules; what is used of it are the public names of version 0.2.
"""

from sdk.compat.installed.adoption import adopt_blocks
from sdk.compat.installed.bundled_plugins import load_bundled_plugins_on_demand

__all__ = ["adopt_blocks", "load_bundled_plugins_on_demand"]
