"""Who may learn what: without the token, nothing of jobs, blocks or reasons."""

import json
from typing import Any

import pytest
from health_support import TOKEN

from supervisor.worker.health.answers import Access, Answer, access_of, answer, is_own_host
from supervisor.worker.health.snapshot import BLOCKED_SECONDS, LOOK_SECONDS, Snapshot
from supervisor.worker.readiness import Reason

NOW = 1000.0
READY = Snapshot(NOW, ())
PAUSED = Snapshot(NOW, (Reason("paused", "paused by ann: the block acme/secret is wrong"),))
WEDGED = Snapshot(NOW, (), late=("the poller (9 s late)",))


def given(path: str, access: Access, snapshot: Snapshot = READY, *, now: float = NOW, **more: Any) -> Answer:
    options: dict[str, Any] = {"metrics": lambda: b"text of the metrics", "has_token": True} | more
    return answer(path, access, snapshot, now, **options)


@pytest.mark.parametrize("path", ["/live", "/ready"])
def test_without_a_token_only_whether_it_is_live_and_ready_is_told(path: str) -> None:
    for snapshot in (READY, PAUSED, WEDGED):
        assert set(json.loads(given(path, Access.STATE, snapshot).body)) == {path[1:]}
    assert b"acme" not in given("/ready", Access.STATE, PAUSED).body
    assert given("/ready", Access.STATE, PAUSED).status == 503


def test_with_it_the_reasons_are_told_as_causes_and_sentences() -> None:
    told = given("/ready", Access.ALL, PAUSED)
    assert json.loads(told.body)["why_not"] == [
        {"cause": "paused", "message": PAUSED.why_not_ready[0].message}
    ]
    assert json.loads(given("/live", Access.ALL, WEDGED).body)["why_not"][0]["cause"] == "no_progress"


def test_metrics_are_for_who_gave_the_token_and_for_nobody_where_there_is_none() -> None:
    assert given("/metrics", Access.ALL).body == b"text of the metrics"
    without = given("/metrics", Access.STATE)
    assert (without.status, without.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert given("/metrics", Access.STATE, has_token=False).status == 403
    assert given("/metrics", Access.ALL, metrics=None).status == 501


def test_a_wrong_token_is_refused_everywhere() -> None:
    assert [given(path, Access.REFUSED).status for path in ("/live", "/ready", "/metrics")] == [401] * 3


def test_a_worker_is_live_while_it_is_not_ready_and_not_ready_while_it_is_blocked() -> None:
    assert given("/live", Access.STATE, PAUSED).status == 200
    late = NOW + LOOK_SECONDS + BLOCKED_SECONDS
    assert given("/live", Access.STATE, READY, now=late).status == 200
    assert given("/live", Access.STATE, READY, now=late + 0.1).status == 503
    assert given("/ready", Access.STATE, READY, now=late + 0.1).status == 503
    assert given("/live", Access.STATE, WEDGED).status == 503


def test_a_token_has_to_be_the_one() -> None:
    assert access_of(f"Bearer {TOKEN}", TOKEN) is Access.ALL
    assert access_of(f"bearer {TOKEN} ", TOKEN) is Access.ALL
    assert access_of(None, TOKEN) is Access.STATE
    for wrong in ("", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \udcff"):
        assert access_of(wrong, TOKEN) is Access.REFUSED, wrong
    assert access_of("Bearer None", None) is Access.REFUSED


def test_a_page_whose_name_leads_to_this_machine_is_told_apart_by_its_host_header() -> None:
    for own in ("127.0.0.1:9464", "127.0.0.1", "localhost:9464", "LOCALHOST", "[::1]:9464", "[::1]"):
        assert is_own_host(own), own
    for other in (
        None,
        "",
        "evil.example:9464",
        "localhost.evil.example",
        "192.0.2.1:9464",
        "[2001:db8::1]",
        "[",
        "::1",
    ):
        assert not is_own_host(other), other
