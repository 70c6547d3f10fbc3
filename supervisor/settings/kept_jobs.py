"""What of ended jobs is kept, and for how long."""

from pydantic import BaseModel, Field


class KeptJobsSettings(BaseModel):
    """A part of the daemon's settings."""

    keep_jobs: int = Field(
        default=1000,
        ge=0,
        le=100_000,
        description="How many ended jobs `supervisor logs` and `supervisor job` can show, 64 MB of them at most: how "
        "they ended, what they took, and their masked log. The state directory keeps them. 0: none.",
    )
    keep_results: bool = Field(
        default=False,
        description="Also keep what ended jobs returned, masked like the log, up to 256 KB of each. On in "
        "`supervisor local` and `supervisor dev`.",
    )
