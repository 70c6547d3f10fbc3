"""What an interpreter that a block has started by `multiprocessing` runs first.

A function or class of a block's module is handed to it by the module's name. Modules of a directory have names of our
own (`discovery.module`), and those of `neops_worker_sdk` may be an alias: a plain interpreter finds neither.
`multiprocessing` runs there again what `__main__` was in the process that it comes from, by the name in its `__spec__`
(`bootstrap.py`), as `__mp_main__`, and with the same `sys.path`. Imported under its own name it does nothing.
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
