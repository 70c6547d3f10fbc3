"""SIGHUP: reads the code of the blocks and the settings again. If they can't be used, the old ones stay in force."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.catalogue import Catalogue, ImportProblem
from supervisor.errors import ReloadRefusedError, TemplateError
from supervisor.job.runner import JobRunner
from supervisor.launcher import Launcher
from supervisor.launcher.interface import Imports
from supervisor.lifecycle.intake import one_line
from supervisor.log.event import tell
from supervisor.log.events.worker import Reloaded, ReloadRefused, RestartNeeded, SettingIgnored
from supervisor.log.setup import set_level
from supervisor.settings.contradictions import contradictions
from supervisor.settings.run_settings import DaemonSettings, RunSettings
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.isolation import isolation_of
from supervisor.worker.isolation_report import tell_isolation
from supervisor.worker.offered_blocks import (
    imports_of,
    not_imported,
    tell_hyphens,
    tell_left_out,
    tell_problem,
    with_slots_set,
)
from supervisor.worker.registration import Registration
from supervisor.worker.status import Status

_log = logging.getLogger(__name__)

RELOADED: Final = frozenset(RunSettings.model_fields) - {"start_method", "log_format"} | {
    "require_all_blocks",
    "block_slots",
}
"""The settings that a reload changes. All others need a restart."""

_LONGEST_REFUSAL_CHARS: Final = 500

_KEPT: Final = frozenset(DaemonSettings.model_fields) - RELOADED


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """The result of a reload. `refused` says why everything stays as it was; `None` if the reload is done.

    `needs_restart` are the flags of changed settings that only a restart puts in force.
    """

    refused: str | None = None
    blocks: int = 0
    needs_restart: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    """What the engine has refused, what was not imported, and which blocks are gone, new or have other code: a line
    each."""
    ignored: tuple[str, ...] = ()
    """Which variables look like settings but are none: a sentence for each."""


STOPPING: Final = ReloadOutcome("The worker is stopping, and reloads no more.")


@dataclass(frozen=True, slots=True)
class _NewSettings:
    """The settings that were read, those that become effective, and what they import."""

    read: DaemonSettings
    in_force: DaemonSettings
    imports: Imports


class _MetBugError(Exception):
    """Its cause is the bug."""


class Reload:
    """Does one reload at a time; a request meanwhile makes it do one more."""

    def __init__(
        self,
        settings: DaemonSettings,
        read_settings: Callable[[], Awaitable[DaemonSettings]],
        launcher: Launcher,
        runner: JobRunner,
        dispatcher: Dispatcher,
        registration: Registration,
        status: Status,
    ) -> None:
        self.in_force = settings
        """The settings in force: those of the start, with the changes of reloads."""
        self.needs_restart: tuple[str, ...] = ()
        """The flags of changed settings that only a restart puts in force."""
        self._settings = settings
        self._asked = asyncio.Event()
        self._waiting: list[asyncio.Future[ReloadOutcome]] = []
        self._is_over = False
        self._read_settings = read_settings
        self._launcher = launcher
        self._runner = runner
        self._dispatcher = dispatcher
        self._registration = registration
        self._status = status
        self._isolation = isolation_of(settings)
        self._ignored: tuple[str, ...] = ()

    async def ask(self) -> ReloadOutcome:
        """Reload, and return the result. A reload that is running has begun earlier: this one follows it."""
        if self._is_over:
            return STOPPING
        outcome: asyncio.Future[ReloadOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(outcome)
        self._asked.set()
        return await outcome

    async def reload_when_asked(self, asked: asyncio.Event) -> None:
        """Reload whenever `asked` is set, or `ask` called. Cancelling it leaves the current state in force."""
        if self._asked.is_set():
            asked.set()
        self._asked = asked
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                waiting, self._waiting = self._waiting, []
                outcome = STOPPING
                try:
                    outcome = await self._reload_or_refuse()
                finally:
                    _tell_all(waiting, outcome)
        finally:
            self._is_over = True
            _tell_all(self._waiting, STOPPING)

    async def _reload_or_refuse(self) -> ReloadOutcome:
        self._status.reload_begins()
        try:
            changes = await self._put_in_force(await self._new_settings())
            blocks = len(self._registration.accepted)
            outcome = ReloadOutcome(
                blocks=blocks, needs_restart=self.needs_restart, changes=changes, ignored=self._ignored
            )
        except (ReloadRefusedError, TemplateError) as error:
            again = " Then send SIGHUP again." if error.retryable else ""
            tell(_log, ReloadRefused(reason=f"{error}{again}", retryable=error.retryable))
            outcome = ReloadOutcome(str(error))
        except _MetBugError as error:
            tell(_log, ReloadRefused(reason=str(error), retryable=False), error=error.__cause__)
            outcome = ReloadOutcome(str(error))
        self._status.reload_ends(outcome.refused.splitlines()[0] if outcome.refused else None)
        return outcome

    async def _new_settings(self) -> _NewSettings:
        """Read the settings. Changes nothing: even a bug of ours only makes the reload refused."""
        try:
            settings = await self._read_settings()
            for ignored in settings.ignored:
                tell(_log, SettingIgnored(problem=ignored))
            in_force = self._in_force_with(settings)
            await self._check(settings, in_force)
            # In a thread: it looks for the code of blocks on the disk.
            imports = await asyncio.to_thread(imports_of, in_force)
        except (ReloadRefusedError, TemplateError):
            raise
        except Exception as error:
            raise _MetBugError("This worker has met a bug, and its log has the traceback.") from error
        return _NewSettings(settings, in_force, imports)

    async def _check(self, settings: DaemonSettings, in_force: DaemonSettings) -> None:
        if problems := await asyncio.to_thread(lambda: list(contradictions(vars(in_force)))):
            kept = ", ".join(self._changed_and_kept(settings))
            raise ReloadRefusedError(
                f"{'. '.join(problems)}. A reload does not change {kept}: restart the worker."
            )

    async def _put_in_force(self, new: _NewSettings) -> tuple[str, ...]:
        """Import the blocks, then change everything. A bug of ours in between leaves an unknown state in force."""
        settings, in_force = new.read, new.in_force
        before = self._dispatcher.catalogue

        def accept(catalogue: Catalogue) -> None:
            reasons = objections(before, catalogue, require_all=settings.require_all_blocks)
            if reasons:
                raise ReloadRefusedError(" ".join(reasons))

        catalogue = with_slots_set(await self._launcher.reload(new.imports, accept), settings)
        for problem in catalogue.problems:
            tell_problem(problem)
        tell_left_out(catalogue)
        tell_hyphens(catalogue)
        self._dispatcher.offer(catalogue)
        self._runner.renew(settings)
        set_level(settings.log_level_number, settings.log_level_numbers)
        self._isolation = tell_isolation(in_force, self._isolation)
        self.in_force = in_force
        self._ignored = settings.ignored
        self._tell_what_needs_a_restart(settings)
        await self._registration.offer(catalogue.blocks)
        tell(_log, Reloaded(blocks=len(self._registration.accepted)))
        return (*refused_blocks(self._registration.refused), *catalogue_changes(before, catalogue))

    def _in_force_with(self, settings: DaemonSettings) -> DaemonSettings:
        """Return these settings; those that only a restart changes, such as the state directory, stay as they are."""
        in_force = settings.model_copy(update={name: getattr(self._settings, name) for name in _KEPT})
        in_force.come_from({name: self._settings.origin_of(name) for name in _KEPT})
        return in_force

    def _changed_and_kept(self, settings: DaemonSettings) -> tuple[str, ...]:
        """Return the flags of changed settings that only a restart puts in force."""
        return tuple(
            "--" + name.replace("_", "-")
            for name in DaemonSettings.model_fields
            if name not in RELOADED and getattr(settings, name) != getattr(self._settings, name)
        )

    def _tell_what_needs_a_restart(self, settings: DaemonSettings) -> None:
        self.needs_restart = self._changed_and_kept(settings)
        if self.needs_restart:
            tell(_log, RestartNeeded(settings=", ".join(self.needs_restart)))


def _tell_all(waiting: "list[asyncio.Future[ReloadOutcome]]", outcome: ReloadOutcome) -> None:
    for each in waiting:
        if not each.done():  # otherwise the caller is gone
            each.set_result(outcome)


def refused_blocks(refused: Mapping[str, str]) -> tuple[str, ...]:
    """Say in one line each which blocks the engine has refused, and why."""
    return tuple(
        one_line(f"refused by the engine: {block}: {reason}", _LONGEST_REFUSAL_CHARS)
        for block, reason in sorted(refused.items())
    )


def catalogue_changes(before: Catalogue, after: Catalogue) -> tuple[str, ...]:
    """Say in one line each which modules could not be imported, and which blocks are gone, new or have other code."""
    old, new = ({block.id: block.code_digest for block in each.blocks} for each in (before, after))
    return (
        *(f"not imported: {problem}" for problem in not_imported(after)),
        *(f"gone: {block}" for block in sorted(old.keys() - new.keys())),
        *(f"new: {block}" for block in sorted(new.keys() - old.keys())),
        *(f"changed: {block}" for block in sorted(old.keys() & new.keys()) if old[block] != new[block]),
    )


def objections(before: Catalogue, after: Catalogue, *, require_all: bool) -> list[str]:
    """Say why `after` must not replace `before`: it is empty, or a module that had blocks is broken now."""
    reasons = [_sentence(problem) for problem in after.problems if problem.kind == "source" or require_all]
    if not reasons:
        kept = {block.id for block in after.blocks}
        gone = [block for block in before.blocks if block.id not in kept]
        lost = {name for block in gone for name in (block.module, block.imported_with)}
        reasons = [_sentence(problem) for problem in after.problems if problem.module in lost]
    if after.starts_threads and not before.starts_threads:
        culprit = after.of_kind("thread")[0]
        reasons.append(
            f"{culprit}. With it, jobs need interpreters of their own: restart the worker for that."
        )
    if not after.blocks:
        reasons.append("No function block is left.")
    return reasons


def _sentence(problem: ImportProblem) -> str:
    return str(problem).rstrip(".") + "."
