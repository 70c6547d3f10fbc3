"""What of ended jobs is kept, and for how long."""

from pydantic import BaseModel, Field


class KeptJobsSettings(BaseModel):
    """A part of the daemon's settings."""

    keep_jobs: int = Field(
        default=1000,
        ge=0,
        le=100_000,
        description="How many ended jobs can be read with `supervisor logs` and `supervisor job`, 64 MB of them at "
        "most: how they ended, what they took, and their masked log. They are in the state directory. 0: none.",
    )
    keep_results: bool = Field(
        default=False,
        description="Keep what ended jobs returned as well, masked as the log is, up to 256 KB of each. On in "
        "`supervisor local` and `supervisor dev`.",
    )
