"""How long a test waits for what must come, before it calls it missing."""

from typing import Final

PATIENCE_SECONDS: Final = 120.0
"""Long enough for a machine that is ten times slower: it costs nothing where all is well. A test as a whole has more
(`timeout` in pyproject.toml), so that it fails with the condition that did not come true."""
