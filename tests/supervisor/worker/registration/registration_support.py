"""A registration with an engine and a journal that are the test's, in simulated time."""

from collections.abc import Callable, Sequence
from typing import Any

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.engine.api import Compatibility
from supervisor.errors import EngineError
from supervisor.worker.registration import Registration
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed

A, B = block_entry("a"), block_entry("b")
AWAY = EngineError("It is away.")


class Journal:
    """Facts in memory."""

    def __init__(self, calls: list[Any], **facts: str) -> None:
        self.facts = facts
        self._calls = calls

    async def fact(self, name: str) -> str | None:
        return self.facts.get(name)

    async def remember(self, name: str, value: str) -> None:
        self._calls.append(("remember", name, value))
        self.facts[name] = value


class Engine:
    """Does what the test says; `errors` are raised by the named call, one after another, before it succeeds."""

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls
        self.times: list[tuple[str, float]] = []
        self.compatibility = Compatibility(True, False, "0.43.0")
        self.knows: set[str] = set()
        self.registered = 0
        self.errors: dict[str, list[EngineError]] = {}
        self.on_ping: Callable[[], Any] | None = None
        self.is_hidden = False
        """Whether a proxy answers in its place, with 404 to everything."""

    def _called(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments) if arguments else name)
        self.times.append((name, elapsed()))
        key = " ".join([name, *map(str, arguments)])
        for each in (key, name):
            if self.errors.get(each):
                raise self.errors[each].pop(0)
        if self.is_hidden and name == "register":
            raise refusal(404, said=None)

    async def check_compatibility(self) -> Compatibility:
        self._called("check")
        return self.compatibility

    async def ping(self, worker_uuid: str, *, fresh: bool = False) -> bool:
        self._called("ping", worker_uuid)
        if self.on_ping is not None:
            await self.on_ping()
        return not self.is_hidden and worker_uuid in self.knows

    async def register_worker(self, version: str, name: str | None, ip_address: str | None) -> str:
        self._called("register", name, ip_address)
        self.registered += 1
        uuid = f"w-{self.registered}"
        self.knows.add(uuid)
        return uuid

    async def register_block(self, block: BlockEntry, worker_uuid: str) -> None:
        self._called("block", block.name, worker_uuid)

    def forget_workers(self) -> None:
        """Delete them, as it does with those that were away for a day."""
        self.knows.clear()

    async def unregister(self, worker_uuid: str) -> None:
        self._called("unregister", worker_uuid)


def refusal(status: int = 400, *, said: str | None = "not wanted") -> EngineError:
    """Without what the engine itself has `said` it may be a proxy's."""
    return EngineError("It does not want it.", status=status, retryable=False, said=said)


class Scene:
    def __init__(self, blocks: Sequence[BlockEntry] = (A, B), **facts: str) -> None:
        self.calls: list[Any] = []
        self.engine, self.journal = Engine(self.calls), Journal(self.calls, **facts)
        self.registration = Registration(
            self.engine,  # type: ignore[arg-type]  # what is used of it
            self.journal,  # type: ignore[arg-type]
            blocks,
            name="router-worker",
            ip_address="192.0.2.1",
        )

    @property
    def accepted(self) -> list[str]:
        return [block.name for block in self.registration.accepted]
