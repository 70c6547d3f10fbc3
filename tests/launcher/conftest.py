"""Where the tests of starting, watching and ending children find their job host."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "hosting"))
