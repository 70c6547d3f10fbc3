"""The first code in an interpreter that a block has started by `multiprocessing`.

Such an interpreter gets a function or class of a block's module by the module's name. Modules of a directory have our
own names (`discovery.module`), and those of `neops_worker_sdk` may be an alias: a plain interpreter finds neither.
There `multiprocessing` runs the `__main__` of the starting process again, by the name in its `__spec__`
(`bootstrap.py`), as `__mp_main__`, and with the same `sys.path`. Imported under its own name, it does nothing.
"""

import sys
from pathlib import Path

from jobrunner.discovery.module import name_package
from sdk.compat.finder import install_alias
from sdk.compat.installed import load_bundled_plugins_on_demand

if __name__ == "__mp_main__":
    install_alias()
    load_bundled_plugins_on_demand()
    for _entry in sys.path:
        name_package(Path(_entry))
