"""The engine as the demo sees it: the demo submits jobs, and looks at them and at the heartbeat."""

import asyncio
import http.client
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from supervisor.commands.demo.errors import DemoError
from supervisor.commands.demo.expectation import DemoJob, Result
from supervisor.commands.demo.scenario import DEVICE_ID

_REQUEST_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Device:
    """The emulated device, with the credentials in the context of its jobs."""

    port: int
    username: str
    password: str

    def context(self) -> dict[str, Any]:
        """Return the context of a job on this device, as the engine sends it (engine contract: entities)."""
        platform = {"id": 1, "name": "Cisco IOS (emulated)", "shortName": "ios", "vendor": "Cisco"}
        device = {
            "id": DEVICE_ID,
            "hostname": "lab1",
            "ip": "127.0.0.1",
            "username": self.username,
            "password": self.password,
            "platform": platform,
        }
        return {"devices": [device]}


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job whose result the engine has. `seconds` is from the claim to the result's arrival."""

    result: Result
    seconds: float


class EngineView:
    """Requests to the embedded engine, each in a thread.

    They use the standard library's client: it uses no proxy, which is right for the loopback.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._address = urlsplit(url).netloc
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    async def submit(self, jobs: list[DemoJob], device: Device | None) -> list[str]:
        """Submit all jobs at once and return their ids. Raises `DemoError`."""
        bodies: list[dict[str, Any]] = []
        for job in jobs:
            body: dict[str, Any] = {"block": job.block, "parameters": dict(job.parameters)}
            if job.on_device and device is not None:
                body |= {"runOn": "device", "entityId": DEVICE_ID, "context": device.context()}
            bodies.append(body)
        answer = await self._ask("POST", "/dev/jobs", bodies)
        return [str(job_id) for job_id in answer["jobIds"]]

    async def job(self, job_id: str) -> JobSeen | None:
        """Return the job, or `None` while there is no result. Raises `DemoError`."""
        answer = await self._ask("GET", f"/dev/jobs/{job_id}")
        if answer["finishedBy"] != "worker":
            return None
        body = answer["result"]["result"]
        result = Result(bool(body["success"]), str(body.get("message") or ""), body.get("data") or {})
        return JobSeen(result, _seconds_between(answer["startedAt"], answer["finishedAt"]))

    async def beats(self) -> list[float]:
        """Return when each heartbeat came, in seconds of CLOCK_MONOTONIC, in order. Raises `DemoError`."""
        records = await self._ask("GET", "/dev/requests?route=ping")
        return sorted(float(record["monotonicSeconds"]) for record in records)

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._request, method, path, body)

    def _request(self, method: str, path: str, body: Any) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=_REQUEST_SECONDS)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, self._headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"The engine did not answer {method} {path}: {error}.") from error
        finally:
            connection.close()
        if response.status >= 300:
            # Only the status: the body of a refusal may repeat the request.
            raise DemoError(f"The engine answered {method} {path} with {response.status}.")
        return json.loads(content)


def _seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
