"""Own modules first, then those of the alias."""

from pathlib import Path

import sdk.compat

__path__.append(str(Path(sdk.compat.__file__).parent / "alias" / "function_block"))
