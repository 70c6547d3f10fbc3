"""Which engine gets the job."""

from collections.abc import Callable
from dataclasses import dataclass

from supervisor.local.announcement import running_engines
from supervisor.local.places import announcements_directory
from supervisor.local.worker_log import Follower
from supervisor.submit.following import JobLines


@dataclass(frozen=True, slots=True)
class Target:
    """The engine that gets the job, and the log of its worker where that is known."""

    url: str
    lines: JobLines


def find_target(wanted_url: str, *, by_flag: bool, say: Callable[[str], None]) -> Target | None:
    """Return the engine that is meant, or `None` where there is none.

    One that runs here goes before what the environment names: that may be the real engine, and a job that is tried
    out must not reach it by an oversight. A flag (``by_flag``) goes before both.
    """
    running = running_engines(announcements_directory())
    wanted = wanted_url.rstrip("/")
    if by_flag or not running:
        match = next((engine for engine in running if engine.url == wanted), None)
        return Target(wanted, JobLines(Follower(match.worker_log) if match else None)) if wanted else None
    chosen, *others = running
    if others:
        urls = ", ".join(engine.url for engine in others)
        say(f"taking {chosen.url}, which was started last. Also running: {urls} (--engine-url).")
    return Target(chosen.url, JobLines(Follower(chosen.worker_log)))
