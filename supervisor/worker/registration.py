"""The registration with the engine: who this worker is, and which blocks it offers."""

import asyncio
import importlib.metadata
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.engine.api import EngineApi, client_version
from supervisor.engine.backoff import Backoff
from supervisor.engine.error_texts import access_advice
from supervisor.errors import EngineError, StartRefusedError
from supervisor.journal import Ledger
from supervisor.log.event import tell
from supervisor.log.events.blocks import BlockRefused
from supervisor.log.events.worker import (
    ClientDeprecated,
    CompatibilityUnknown,
    Registered,
    RegistrationFailing,
    RegistrationKept,
    RenewalFailing,
    UnregistrationFailed,
    WorkerExpired,
)
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_NOT_LET_IN: Final = frozenset({401, 407})
"""Not 403: that is about the licence (engine contract: worker routes)."""

_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500
"""The engine's own error. A proxy that does not reach the engine sends another status."""

MOST_FAILURES: Final = 8
"""After so many failures at a block, while the engine takes others, the block counts as refused."""

_AT_ONCE: Final = 8
"""How many blocks are registered at the same time: a start waits less for round trips to the engine."""

LAST_PINGS_SECONDS: Final = 2.0
"""How long pings on their way may delay the unregistration."""


class Registration:
    """This worker's uuid and the blocks that the engine has accepted. `blocks` grows during the registration."""

    def __init__(
        self,
        engine: EngineApi,
        journal: Ledger,
        catalogue: Sequence[BlockEntry],
        *,
        name: str | None,
        ip_address: str | None,
    ) -> None:
        self.uuid = ""
        self.accepted: list[BlockEntry] = []
        self.refused: dict[str, str] = {}
        self.came_back = False
        """Whether the engine knew this worker already: from a run before this one."""
        self.leaving = False
        """Whether `end` was called: nothing of this worker may reach the engine after that."""
        self.pings = Tasks()
        """The pings on their way, started by the heartbeat."""
        self._engine = engine
        self._journal = journal
        self._catalogue = catalogue
        self._name = name
        self._ip_address = ip_address
        self._registering = asyncio.Lock()
        self._lost_uuid: str | None = None
        """The uuid that the engine did not know, while this worker registers again."""
        self._failure = ""
        """Why the last registration of the worker or of blocks failed."""
        self._failures: Counter[str] = Counter()
        """How often the engine has failed at a block, by its id."""

    @property
    def problem(self) -> str | None:
        """Why the worker can't poll; `None` if the engine knows this worker, and has accepted a block."""
        if self.uuid == self._lost_uuid:
            reason = f": {self._failure}" if self._failure else ""
            return f"the engine does not know this worker any more, and has not taken it back yet{reason}"
        if self.accepted:
            return None
        reason = self._failure or next(iter(self.refused.values()), "")
        return "the engine has accepted none of the blocks" + (f": {reason}" if reason else "")

    @property
    def is_under_way(self) -> bool:
        """Whether `offer` or `renew` is running: a second `renew` would only wait for it."""
        return self._registering.locked()

    async def begin(self, give_up_after_seconds: float) -> None:
        """Register; wait for an engine that is away. Raises `StartRefusedError` if it stays away or refuses."""
        loop = asyncio.get_running_loop()
        end = loop.time() + give_up_after_seconds
        backoff = Backoff(first_seconds=1.0, longest_seconds=10.0)
        while True:
            try:
                await self._register()
            except EngineError as error:
                if not error.retryable:
                    advice = f" {access_advice(error.status)}" if error.status in _NOT_LET_IN else ""
                    raise StartRefusedError(
                        f"The engine does not accept this worker: {error}{advice}"
                    ) from error
                left = end - loop.time()
                if left <= 0:
                    tried = f" within {give_up_after_seconds:g} s" if give_up_after_seconds else ""
                    problem = "could not be reached" if error.status is None else "did not take this worker"
                    raise StartRefusedError(
                        f"The engine {problem}{tried}: {error} "
                        "Check --engine-url and proxies, or raise --startup-retry-seconds."
                    ) from error
                pause = min(backoff.next_pause(error.retry_after_seconds), left)
                failing = RegistrationFailing(reason=str(error), pause_seconds=pause, left_seconds=left)
                tell(_log, failing)
                await asyncio.sleep(pause)
            else:
                return

    async def offer(self, catalogue: Sequence[BlockEntry]) -> None:
        """Offer these blocks from now on. Retries until the engine has answered for each, or this worker leaves.

        After a cancellation, blocks may be missing until the next call, or the next `renew`.
        """
        async with self._registering:
            self._catalogue = catalogue
            self.accepted[:] = [block for block in self.accepted if block in catalogue]
            self.refused.clear()
            self._failures.clear()
            try:
                await self._until_registered(self._offering())
            finally:
                self._lost_uuid = None

    async def renew(self, lost_uuid: str) -> None:
        """Register again after the engine has forgotten this worker. Retries until it leaves; running jobs go on.

        If the engine knows the uuid at one of the tries, it stays: then a proxy had answered in the engine's place.
        """
        async with self._registering:
            if self.uuid != lost_uuid:
                return  # another caller noticed it first
            self._lost_uuid, self._failure = lost_uuid, ""
            try:
                await self._until_registered(self._renewal_of(lost_uuid))
            finally:
                self._lost_uuid = None

    def _offering(self) -> Callable[[], Awaitable[None]]:
        renew = self._renewal_of(self.uuid)
        was_tried = False

        async def register() -> None:
            nonlocal was_tried
            if was_tried:
                # It may have failed because the engine has forgotten this worker, as after a day without it. Other
                # callers that notice this meanwhile can only wait for this to end.
                await renew()
            else:
                was_tried = True
                await self._register_blocks()

        return register

    def _renewal_of(self, lost_uuid: str) -> Callable[[], Awaitable[None]]:
        was_told = False

        async def register() -> None:
            nonlocal was_told
            # Only once: if a block fails after this, another registration would count against the licence.
            if self.uuid == lost_uuid:
                # Ask at each try: a second worker in the engine would make it fail the jobs that run here.
                if not await self._engine.ping(lost_uuid):
                    self._lost_uuid = lost_uuid
                    if not was_told:
                        tell(_log, WorkerExpired(worker=lost_uuid))
                        was_told = True
                    await self._register_anew()
                elif was_told:
                    tell(_log, RegistrationKept(worker=lost_uuid))
                    was_told = False
            await self._register_blocks()

        return register

    async def _until_registered(self, register: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff()
        while not self.leaving:
            try:
                await register()
            except EngineError as error:
                self._failure = str(error)
                pause = backoff.next_pause(error.retry_after_seconds)
                tell(_log, RenewalFailing(reason=str(error), pause_seconds=pause))
                await asyncio.sleep(pause)
            else:
                self._failure = ""
                return

    async def end(self, *, unregister: bool = True) -> None:
        """Leave, and unregister if asked. A failure is logged, and changes nothing: the engine notices the silence."""
        self.leaving = True
        # A ping that arrived after the unregistration would bring this worker back (contract W4).
        await self.pings.wait(LAST_PINGS_SECONDS)
        if not unregister:
            return
        try:
            await self._engine.unregister(self.uuid)
        except EngineError as error:
            tell(_log, UnregistrationFailed(reason=str(error)))

    async def _register(self) -> None:
        if not self.uuid:
            await self._check_compatibility()
            known = await self._journal.fact("worker_uuid")
            # A ping brings back a worker that had unregistered; only a deleted one needs a new uuid.
            if known is not None and await self._engine.ping(known):
                self.uuid = known
                self.came_back = True
                tell(_log, RegistrationKept(worker=known))
            else:
                await self._register_anew()
        await self._register_blocks()

    async def _check_compatibility(self) -> None:
        try:
            reply = await self._engine.check_compatibility()
        except EngineError as error:
            # An older engine has no such route. If the engine is not there at all, the next request reports it.
            level = logging.DEBUG if error.status is None else logging.WARNING
            tell(_log, CompatibilityUnknown(reason=str(error)), level=level)
            return
        if not reply.compatible:
            raise StartRefusedError(
                f"The engine ({reply.engine_version}) is not compatible with this worker's client "
                f"({client_version()}). Install the client that belongs to the engine."
            )
        if reply.deprecated:
            tell(_log, ClientDeprecated(engine_version=reply.engine_version))

    async def _register_anew(self) -> None:
        version = importlib.metadata.version("neops-supervisor")
        uuid = await self._engine.register_worker(version, self._name, self._ip_address)
        await self._journal.remember("worker_uuid", uuid)
        self.uuid = uuid
        self.accepted.clear()
        # Offer them again: they may have been refused only because the worker was unknown.
        self.refused.clear()
        self._failures.clear()
        tell(_log, Registered(worker=uuid))

    async def _register_blocks(self) -> None:
        """Register the blocks that are not accepted yet, a few at a time. A refused block harms only itself."""
        done = {block.id for block in self.accepted} | self.refused.keys()
        blocks = [block for block in self._catalogue if block.id not in done]
        for first in range(0, len(blocks), _AT_ONCE):
            some = blocks[first : first + _AT_ONCE]
            # Wait for all of them, even if one fails: blocks that the engine has accepted count.
            answers = await asyncio.gather(*map(self._register_block, some), return_exceptions=True)
            self.accepted += [block for block, answer in zip(some, answers, strict=True) if answer is True]
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

    async def _register_block(self, block: BlockEntry) -> bool:
        """Register one block, and return whether it was accepted. Raises `EngineError` if none can be now."""
        try:
            await self._engine.register_block(block, self.uuid)
        except EngineError as error:
            if error.status == _NOT_FOUND and error.said is None:
                # This is a proxy's answer while it can't reach the engine: the engine may answer the next try.
                raise EngineError(str(error), status=error.status) from error
            # If the worker is not let in at all, the answer says nothing about this block.
            if error.status in _NOT_LET_IN:
                raise
            if error.retryable and not await self._fails_at(block.id, error.status):
                raise
            self.refused[block.id] = str(error)
            tell(_log, BlockRefused(block=block.id, reason=str(error)))
            return False
        return True

    async def _fails_at(self, block_id: str, status: int | None) -> bool:
        """Count a failure. Returns whether only this block makes the engine fail. Raises `EngineError`."""
        if status != _SERVER_ERROR:
            return False
        self._failures[block_id] += 1
        if self._failures[block_id] < MOST_FAILURES or not self.accepted:
            return False
        return await self._engine.ping(self.uuid)  # otherwise the engine itself has trouble
