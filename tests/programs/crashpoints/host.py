"""`python -m tests.programs.crashpoints.host --point NAME [--list FILE] -- FLAGS`: the supervisor with points in it."""

import sys
from pathlib import Path

from supervisor.cli import main
from tests.programs.crashpoints.points import Points, set_points


def run(arguments: list[str]) -> int:
    """Set the points and run the daemon with the flags behind `--`."""
    own, flags = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    given = dict(zip(own[::2], own[1::2], strict=True))
    listed = given.get("--list")
    set_points(Points(given.get("--point", ""), Path(listed) if listed else None))
    return main(flags)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
