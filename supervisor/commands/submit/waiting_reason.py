"""What a submitted job waits for, in words. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def waits_for_worker(job: Mapping[str, Any]) -> bool:
    """Whether no worker that runs now offers this job's block, as the engine says."""
    return job.get("waitsFor") == "worker"


def where_text(job: Mapping[str, Any]) -> str:
    """Return what a job without a result is doing, to complete the sentence: it …"""
    if job.get("status") == "polled":
        return "runs"
    return "waits for a worker that offers its block" if waits_for_worker(job) else "waits for a slot"


def not_offered_text(blocks: Iterable[str]) -> str:
    """Say that no worker offers these blocks now."""
    named = ", ".join(blocks)
    return f"no worker that runs now offers {named}. What waits for it runs as soon as one does."
