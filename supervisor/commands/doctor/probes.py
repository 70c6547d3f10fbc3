"""The blocks and the engine: checks that start a process or send a request."""

from typing import Final

from jobrunner.protocol import linux
from supervisor.commands.doctor.finding import Finding, failed, ok, warning
from supervisor.engine import EngineApi
from supervisor.engine.access import access_of
from supervisor.engine.error_texts import access_advice
from supervisor.errors import EngineError, SupervisorError
from supervisor.settings.origins import shown
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.offered_blocks import start_launcher, what_to_do

_NO_SUCH_CHECK: Final = frozenset({400, 404})
"""What older engines answer (engine contract: worker routes). The worker starts all the same."""


async def blocks(settings: DaemonSettings) -> Finding:
    """Whether the blocks can be imported; in a process of its own, as in the worker."""
    linux.become_subreaper()
    try:
        launcher, catalogue = await start_launcher(settings)
        await launcher.close()
    except SupervisorError as error:
        return failed("blocks", str(error), "Look at what the blocks do when they are imported.")
    count = len(catalogue.blocks)
    if catalogue.problems:
        places = "; ".join(str(problem) for problem in catalogue.problems)
        report = warning if count else failed
        return report(
            "blocks", f"{count} imported; {places.rstrip('.')}.", "`supervisor blocks` shows the tracebacks."
        )
    if not count:
        return failed("blocks", "No block was found.", what_to_do(catalogue))
    return ok("blocks", f"{count} imported")


async def engine(settings: DaemonSettings) -> Finding | None:
    """Whether the engine answers and accepts this client; nothing is registered. `None` without a URL."""
    if not settings.engine_url:
        return None
    url = shown(settings.engine_url)
    try:
        api = EngineApi(access_of(settings))
    except SupervisorError as error:
        return failed("engine", str(error), "The worker does not start like this.")
    try:
        answer = await api.check_compatibility()
    except EngineError as error:
        if error.status in _NO_SUCH_CHECK and error.said is not None:
            text = f"{url} does not say whether it speaks with this client: {error}"
            return warning("engine", text, "An older engine can't. If it is none, check the URL.")
        advice = access_advice(error.status) or "Check the URL, the network and the proxy."
        return failed("engine", f"{url}: {error}", advice)
    finally:
        await api.close()
    version = answer.engine_version or "of unknown version"
    if not answer.compatible:
        return failed(
            "engine", f"Engine {version} does not speak with this client.", "Install the other client."
        )
    if answer.deprecated:
        return warning("engine", f"Engine {version} calls this client deprecated.", "Plan an upgrade.")
    return ok("engine", f"{url} answers, version {version}")
