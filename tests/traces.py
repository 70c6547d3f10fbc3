"""Where the blocks of a test leave their traces."""

from pathlib import Path


def trace_file_in(directory: Path) -> Path:
    """Return the file for a run whose worker has its state in `directory` as well.

    It lies in a directory of its own, made here, before there is a worker: a job can make no file beside the state.
    """
    place = directory / "traces"
    place.mkdir(exist_ok=True)
    return place / "trace"
