"""What the worker says to the engine, one method for each route of the contract."""

import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.engine.answering import Answering
from supervisor.engine.arrival import Arrival
from supervisor.engine.http import EngineAccess, EngineHttp
from supervisor.engine.items import LostJob, claimed_items, parse_items
from supervisor.engine.large_poll import AT_ONCE_BYTES, JOB_CAP_BYTES, Poll, read_in_steps
from supervisor.engine.poll_body import PollBodies, versionable
from supervisor.engine.transport import seconds_to_send
from supervisor.errors import EngineError
from supervisor.process.long_work import LongWork

CLIENT_LIBRARY: Final = "neops_workflow_engine_client"
_CREATED: Final = 201
_LARGEST_POLL_BYTES: Final = 256 * 2**20
"""The cap of an answer to a poll, however many jobs the worker asked for."""
_NOT_THE_ENGINE: Final = "Check that the engine's URL leads to the engine, and not to a proxy or a web page."
_SLOW_LINE: Final = "If the connection to the engine is slow, raise --request-timeout-seconds."
_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:(?:-beta\.|b)(\d{1,9}))?", re.ASCII)
_UUID: Final = re.compile(r"[!-~]{1,200}")
"""The worker accepts any id of an engine that can be a part of a URL and a row of the journal."""

_VERSION_CHARS: Final = 100
_FIRST_WITH_RETRYABLE: Final = (0, 43, 0, 6)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """What the engine says of this worker's client (W1)."""

    compatible: bool
    deprecated: bool
    engine_version: str


def client_version() -> str:
    """Return the installed client's version as the engine writes versions."""
    return importlib.metadata.version(CLIENT_LIBRARY).replace("b", "-beta.")


class EngineApi:
    """The worker's routes. Every method raises `EngineError`. If one is cancelled, the engine may still have acted."""

    def __init__(self, access: EngineAccess) -> None:
        self._http = EngineHttp(access)
        self._poll_seconds = access.poll_seconds
        self._result_seconds = access.request_seconds
        self._long_work = LongWork()
        self._poll_bodies = PollBodies()
        self.knows_retryable = _is_at_least(client_version(), _FIRST_WITH_RETRYABLE)
        self._takes_sensitive = False

    async def check_compatibility(self) -> Compatibility:
        """Ask whether the engine speaks with this client (W1)."""
        body = {"version": client_version(), "library": CLIENT_LIBRARY}
        answer = await self._http.post("/version/compatibility", "the version check", body)
        reply = _dictionary(answer.json("the version check"))
        version = ascii(reply.get("version", "")).strip("'\"")[:_VERSION_CHARS]
        if _VERSION.match(version):
            self.knows_retryable = _is_at_least(version, _FIRST_WITH_RETRYABLE)
        # The embedded engine shows jobs, and masks the fields that their blocks have marked. No neops engine knows it.
        self._takes_sensitive = reply.get("takesSensitiveParameters") is True
        # Only an explicit no counts: an engine that leaves the field out has not refused anything.
        return Compatibility(reply.get("compatible") is not False, reply.get("deprecated") is True, version)

    async def register_worker(self, version: str, name: str | None, ip_address: str | None) -> str:
        """Register this worker and return its new uuid (W2)."""
        body = {"version": version, "name": name, "ipAddress": ip_address}
        answer = await self._http.post(
            "/workers/register",
            "the registration of this worker",
            {k: v for k, v in body.items() if v is not None},
        )
        uuid = _dictionary(answer.json("the registration of this worker")).get("uuid")
        if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
            raise EngineError(
                "The engine registered this worker without telling a uuid that can be used.",
                status=answer.status,
            )
        return uuid

    async def register_block(self, block: BlockEntry, worker_uuid: str) -> None:
        """Register one block for this worker (W3). Already registered (409) is fine."""
        body: dict[str, Any] = {
            **versionable(block),
            "workerId": worker_uuid,
            "description": _with_code(block),
            "runOn": block.run_on,
            "fbType": block.fb_type,
            "markdownHelpText": block.help_text,
            "deprecated": block.deprecated,
            "parameterJsonSchema": block.parameter_schema,
            "resultDataJsonSchema": block.result_schema,
            "isIdempotent": block.is_idempotent,
            "isPure": block.is_pure,
        }
        if (
            block.reversible
        ):  # unknown to engines of the 0.42 family (engine contract: the two client generations)
            body["reversible"] = True
        if self._takes_sensitive and block.sensitive_parameters:
            body["sensitiveParameters"] = [list(path) for path in block.sensitive_parameters]
        try:
            await self._inform("/function-blocks/register", f"the registration of {block.id}", body)
        except EngineError as error:
            if error.status != 409:
                raise

    async def ping(self, worker_uuid: str, *, fresh: bool = False) -> bool:
        """Tell the engine that this worker lives (W4). Returns whether the engine knows it."""
        try:
            await self._inform(f"/workers/{quote(worker_uuid, safe='')}/ping", "the heartbeat", fresh=fresh)
        except EngineError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def poll(
        self, worker_uuid: str, blocks: Sequence[BlockEntry], limit: int, arrival: Arrival | None = None
    ) -> Poll:
        """Claim up to `limit` jobs (W5). Don't cancel it: the answer *is* the claim.

        With an `arrival`, a large answer has the time that it needs on a slow line.
        """
        text = self._poll_bodies.body(blocks, worker_uuid, limit)
        cap_bytes = _poll_cap_bytes(limit)
        answer = await self._http.post(
            "/blackboard/job",
            "the poll",
            text=text,
            seconds=self._poll_seconds,
            cap_bytes=cap_bytes,
            arrival=arrival,
        )
        if answer.complete and len(answer.body) <= AT_ONCE_BYTES:
            try:
                items = answer.json("the poll")
            except EngineError:
                pass  # then each job is read for itself
            else:
                if not isinstance(items, list):
                    raise EngineError(
                        "The engine's answer to the poll is no list of jobs.", status=answer.status
                    )
                return Poll(tuple(parse_items(items)))
        poll = await self._long_work.in_steps(read_in_steps(answer.body))
        if poll is None:
            raise answer.unreadable("the poll")
        return replace(poll, complete=poll.complete and answer.complete)

    async def poll_nothing(self, worker_uuid: str, seconds: float) -> None:
        """Ask for a job of a block that no worker has: does the engine answer polls? It claims nothing (W5)."""
        nothing = {
            "name": "none",
            "package": "neops_supervisor",
            "majorVersion": 0,
            "minorVersion": 0,
            "patchVersion": 0,
        }
        body = {"functionBlockIds": [nothing], "workerId": worker_uuid, "limit": 1}
        await self._http.post("/blackboard/job", "a poll for nothing", body, seconds=seconds, fresh=True)

    async def claimed_jobs(self, worker_uuid: str, seconds: float | None = None) -> list[LostJob]:
        """Return the jobs that this worker has claimed and not reported, as the engine sees it.

        See engine contract: routes that only read. Engines of the 0.43 family want a token for it: 401 or 403 without.
        """
        path = f"/workers/{quote(worker_uuid, safe='')}/jobs?status=polled"
        answer = await self._http.get(path, "the list of this worker's jobs", seconds=seconds)
        items = answer.json("the list of this worker's jobs")
        if not isinstance(items, list):
            raise EngineError("The engine's list of this worker's jobs is no list.", status=answer.status)
        return claimed_items(items)

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        """Deliver one result (W6). Returns whether it was the first one; a later one (409) is delivered as well.

        Only these two answers come from the engine. Another success, or a redirect, comes from something in between,
        such as a sign-in page, and the worker sends the result again. `fresh` sends it over a new connection.
        A large result may take longer than other requests.
        """
        seconds = self._result_seconds + int(seconds_to_send(len(text)))
        try:
            answer = await self._http.post(
                "/blackboard/job/result", "a result", text=text, seconds=seconds, fresh=fresh
            )
        except EngineError as error:
            if error.timed_out:
                raise EngineError(f"{error} {_SLOW_LINE}", timed_out=True) from error
            if error.status == 409:
                return False
            if error.status is not None and 300 <= error.status < 400:
                raise EngineError(f"{error} {_NOT_THE_ENGINE}", status=error.status) from error
            raise
        if answer.status != _CREATED:
            raise EngineError(
                f"A result was answered with {answer.status}, not with {_CREATED}. {_NOT_THE_ENGINE}",
                status=answer.status,
            )
        return True

    async def unregister(self, worker_uuid: str) -> None:
        """Tell the engine that this worker leaves (W8). Already gone (404) is fine."""
        try:
            await self._inform(f"/workers/{quote(worker_uuid, safe='')}/unregister", "the unregistration")
        except EngineError as error:
            if error.status != 404:
                raise

    async def _inform(self, path: str, what: str, body: Any = None, *, fresh: bool = False) -> None:
        """Make a request to which the engine answers little or nothing. Raises `EngineError` also for a web page.

        A web page with 200 comes from something in between, such as a sign-in page. The engine did not get the request.
        """
        answer = await self._http.post(path, what, body, fresh=fresh)
        if answer.body.lstrip().startswith(b"<"):
            raise answer.unreadable(what)

    @property
    def answering(self) -> Answering:
        """Whether the engine answers."""
        return self._http.answering

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


def _poll_cap_bytes(limit: int) -> int:
    """Return how many bytes may be read of an answer to a poll for `limit` jobs."""
    return min(limit * JOB_CAP_BYTES, _LARGEST_POLL_BYTES)


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _with_code(block: BlockEntry) -> str:
    """Return the description with the digest of its code: two workers may have different code under one id."""
    return f"{block.description} [code {block.code_digest}]" if block.code_digest else block.description


def _is_at_least(version: str, wanted: tuple[int, int, int, int]) -> bool:
    match = _VERSION.match(version)
    if match is None:
        return False
    major, minor, patch, beta = match.groups()
    # A release comes after all its betas.
    return (int(major), int(minor), int(patch), int(beta) if beta else 10**6) >= wanted
