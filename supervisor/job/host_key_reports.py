"""The host keys of one job: those in its order, and what happens to those that it reports."""

import logging
from collections.abc import Sequence
from typing import Final

from jobrunner.protocol.messages import HostKey, HostKeyCheck
from supervisor.job.device_endpoints import Endpoints
from supervisor.job.host_keys.endpoint import Endpoint, endpoint_of
from supervisor.job.host_keys.public_key import PublicKey, public_key_of
from supervisor.job.host_keys.store import HostKeyStore
from supervisor.job.host_keys.table import Decision
from supervisor.log.event import tell
from supervisor.log.events.host_keys import (
    HostKeyAcceptedOnce,
    HostKeyConflict,
    HostKeyKept,
    HostKeyRefused,
    HostKeyReportsIgnored,
)

_log = logging.getLogger(__name__)

REPORTS_BESIDE: Final = 20
"""How many keys a job may report besides one for each endpoint of its devices: each refusal is a line of the log."""


class JobHostKeys:
    """Takes the reports of one job. It judges each key by the engine's data, never by what the child says."""

    def __init__(
        self,
        store: HostKeyStore,
        job_id: str,
        policy: HostKeyCheck,
        endpoints: Endpoints,
        known: Sequence[tuple[Endpoint, PublicKey]],
    ) -> None:
        self.policy: HostKeyCheck = policy
        self.known = known
        """The known keys of this job's devices and of their jump hosts, for the order."""
        self._store = store
        self._job_id = job_id
        self._endpoints = endpoints
        self._reports_left = len(endpoints) + REPORTS_BESIDE
        self._most = self._reports_left

    def heard(self, report: HostKey) -> None:
        """Handle one report. The log shows keys that can't be kept, up to a maximum number."""
        if self._reports_left <= 0:
            if self._reports_left == 0:
                self._reports_left = -1
                tell(_log, HostKeyReportsIgnored(job=self._job_id, reports=self._most))
            return
        self._reports_left -= 1
        endpoint = endpoint_of(report.host, report.port)
        if endpoint is None:
            return  # the message's own limits prevent this
        key = public_key_of(report.key_type, report.key)
        decision = self._store.decide(endpoint, key, self._endpoints, self.policy)
        self._tell(decision, endpoint, key)

    def _tell(self, decision: Decision, endpoint: Endpoint, key: PublicKey | None) -> None:
        job, (host, port) = self._job_id, endpoint
        match decision:
            case Decision.KNOWN:
                pass
            case Decision.KEPT:
                accepted = HostKeyKept if self._store.keeps_on_disk else HostKeyAcceptedOnce
                tell(_log, accepted(job=job, host=host, port=port, key=str(key)))
            case Decision.ANOTHER_IS_KNOWN:
                known = str(self._store.known_key(endpoint))
                tell(_log, HostKeyConflict(job=job, host=host, port=port, key=str(key), known=known))
            case _:
                tell(_log, HostKeyRefused(job=job, host=host, port=port, reason=decision.value))
