"""What jobs have left in the directory of their directories, while a worker may have some made ahead."""

from pathlib import Path


def left_by_jobs(jobs: Path, ahead: int) -> list[str]:
    """Return the directories of jobs that are over. Up to `ahead` empty ones wait for jobs that are to come."""
    full: list[str] = []
    empty: list[str] = []
    for path in jobs.iterdir():
        try:
            (full if any(path.iterdir()) else empty).append(path.name)
        except FileNotFoundError:  # it has just been removed
            continue
    return full + empty[ahead:]
