"""Own modules first, then those of the alias."""

from pathlib import Path

import sdk.compat

__path__.append(str(Path(sdk.compat.__file__).parent / "alias" / "registry"))

from .registry import Registry, registry  # noqa: E402  # below the path, in which it looks

__all__ = ["Registry", "registry"]
