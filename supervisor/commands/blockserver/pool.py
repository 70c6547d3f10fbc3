"""The launchers of a block server: one for each set of sources, kept while it is used and its files are unchanged."""

import contextlib
import logging
import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.coverage import COVERAGE_VARIABLE
from supervisor.commands.blockserver.files import Fingerprint, fingerprint
from supervisor.commands.blockserver.shared_launcher import SharedLauncher
from supervisor.launcher import Launcher
from supervisor.log.event import tell
from supervisor.log.events.blocks import SourcesChanged
from supervisor.settings.run_settings import RunSettings
from supervisor.worker.offered_blocks import start_launcher

_log = logging.getLogger(__name__)

LAUNCHERS_KEPT: Final = 4
"""Each is a process with the imported blocks: 30 to 60 MB."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a launcher imports, and where it looks for modules: this process's `sys.path` when it starts."""

    names: tuple[str, ...]
    python_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    launcher: Launcher
    catalogue: Catalogue
    files: Fingerprint


class LauncherPool:
    """Hands out launchers, for one job at a time: while a job runs, `get` must not be called.

    If a launcher started meanwhile, the job's sweep would not know it, and would kill it as a leftover.
    """

    def __init__(self) -> None:
        self._loaded: OrderedDict[Sources, _Loaded] = OrderedDict()

    async def get(self, sources: Sources) -> tuple[Launcher, Catalogue]:
        """Return a launcher for `sources`, and its catalogue. Call it inside `python_path`. Raises `TemplateError`."""
        loaded = self._loaded.pop(sources, None)
        if loaded is not None and loaded.files != fingerprint(sources.names, loaded.catalogue):
            tell(_log, SourcesChanged(sources=", ".join(sources.names)))
            await loaded.launcher.close()
            loaded = None
        if loaded is None:
            await self._make_room()
            loaded = await _load(sources)
        self._loaded[sources] = loaded
        others = [other.launcher for other in self._loaded.values() if other is not loaded]
        return SharedLauncher(loaded.launcher, others), loaded.catalogue

    async def _make_room(self) -> None:
        while len(self._loaded) >= LAUNCHERS_KEPT:
            _, oldest = self._loaded.popitem(last=False)
            await oldest.launcher.close()

    async def close(self) -> None:
        """End every launcher."""
        while self._loaded:
            _, loaded = self._loaded.popitem()
            await loaded.launcher.close()


async def _load(sources: Sources) -> _Loaded:
    launcher, catalogue = await start_launcher(
        RunSettings.model_construct(function_blocks=list(sources.names), job_env=[COVERAGE_VARIABLE])
    )
    return _Loaded(launcher, catalogue, fingerprint(sources.names, catalogue))


@contextlib.contextmanager
def python_path(callers: tuple[str, ...]) -> Iterator[None]:
    """Let new interpreters look for modules where the caller does, but first where we do.

    `multiprocess` passes our `sys.path` to them. PYTHONPATH would work too, but the programs that a block starts would
    inherit it, and in production they don't. The caller's own directories come last, as an author's do
    (`jobrunner.discovery.sources`): a module `sdk` or `blocks` there must not hide ours.
    """
    own = list(sys.path)
    sys.path.extend(entry for entry in callers if entry not in own)
    try:
        yield
    finally:
        sys.path[:] = own
