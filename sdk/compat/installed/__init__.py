"""Blocks of an installed `neops_worker_sdk`. The package's own code runs them in this worker's children.

Nothing here imports that package, except its device plugins. The author's module imports it, and then this code finds
it by the names of its modules. It uses only the public names of version 0.2.
"""

from sdk.compat.installed.adoption import adopt_blocks
from sdk.compat.installed.bundled_plugins import load_bundled_plugins_on_demand

__all__ = ["adopt_blocks", "load_bundled_plugins_on_demand"]
