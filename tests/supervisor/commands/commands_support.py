"""Running the command line as a person does: as a process, with nothing of this one's settings."""

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

BASE = "import sdk\nclass Base(sdk.FunctionBlock): ...\n"
"""At the end of a module, it has the module imported; what stands before it need not be a block."""

Done = subprocess.CompletedProcess[str]


def supervisor(*arguments: str, cwd: Path | None = None, **environment: str) -> Done:
    """Run `supervisor` with stdout and stderr captured; the environment holds no NEOPS_ variable but those given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEOPS_")}
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *arguments],
        cwd=cwd,
        env=own | {"COLUMNS": "200"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
