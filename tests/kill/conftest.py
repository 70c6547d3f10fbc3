"""Where the tests of kills find their helpers."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "hosting"))
