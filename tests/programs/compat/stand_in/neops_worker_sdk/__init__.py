"""A stand-in for the installed package, where that can't be had: its registry, blocks, results and context anew.

What is not here (loggers, connections, …) comes from the alias, by the package's path: it is the same in both modes.
Written for the tests of `sdk.compat.installed`; its classes are none of `sdk`, as those of the package are not.
"""

from pathlib import Path

import sdk.compat

__path__.append(str(Path(sdk.compat.__file__).parent / "alias"))
