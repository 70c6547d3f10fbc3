"""Which engine gets the job."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from supervisor.commands.local.announcement import Announcement, running_engines
from supervisor.commands.local.places import announcements_directory
from supervisor.commands.local.worker_log import Follower
from supervisor.commands.submit.job_follower import JobLines
from supervisor.errors import NoHomeError
from supervisor.settings.origins import HIDDEN, shown


@dataclass(frozen=True, slots=True)
class Target:
    """The engine that gets the job; its token and the log of its worker, if they are known."""

    url: str
    lines: JobLines
    token_file: Path | None = None

    @property
    def shown_url(self) -> str:
        """The URL as people and logs may see it. A part before an @ may be a password, even if it is not a URL."""
        if self.url.startswith(("http://", "https://")):
            return shown(self.url) or ""
        _, login_end, rest = self.url.rpartition("@")
        return f"{HIDDEN}@{rest}" if login_end else rest


def find_target(wanted_url: str, *, by_flag: bool, say: Callable[[str], None]) -> Target | None:
    """Return the meant engine, or `None` if there is none.

    An engine on this machine wins over the environment: that may name the real engine, and a job that somebody only
    tries out must not reach it by mistake. A flag (`by_flag`) wins over both. Without a flag it raises
    `NoHomeError` if it can't look for one.
    """
    running = _running(must_look=not by_flag)
    wanted = wanted_url.rstrip("/")
    if by_flag or not running:
        match = next((engine for engine in running if engine.url == wanted), None)
        if match is not None:
            return _announced(match)
        return Target(wanted, JobLines(None)) if wanted else None
    chosen, *others = running
    if others:
        urls = ", ".join(engine.url for engine in others)
        say(f"taking {chosen.url}, which was started last. Also running: {urls} (--engine-url).")
    return _announced(chosen)


def _running(*, must_look: bool) -> list[Announcement]:
    try:
        return running_engines(announcements_directory())
    except NoHomeError:  # nothing is announced to a user without a home, and the flag names the engine
        if must_look:
            raise
        return []


def _announced(engine: Announcement) -> Target:
    return Target(engine.url, JobLines(Follower(engine.worker_log)), engine.token_file)
