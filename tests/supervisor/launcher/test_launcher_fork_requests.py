"""Requests for forks: what could not be sent is not waited for, and what is another's child is not taken for dead."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from jobrunner.protocol.control import send_session_request
from supervisor.errors import LaunchError
from supervisor.launcher.child_starts import ChildStarts
from supervisor.launcher.fork_requests import ForkRequests
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.session_holders import SessionHolder, SessionHolders


@dataclass
class PlayedForker:
    """Somebody who forks, as far as this side can see."""

    control: socket.socket
    pid: int = 1


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize("refusal", ["gone", "no descriptor can be sent"])
async def test_a_request_that_could_not_be_sent_is_waited_for_by_nobody(
    pair: tuple[socket.socket, socket.socket], refusal: str
) -> None:
    ours, theirs = pair
    requests = ForkRequests(KnownChildren())
    starts = ChildStarts(requests, SessionHolders(requests, print), lambda *_: None, lambda _: None)
    sent = socket.socketpair()
    if refusal == "gone":
        theirs.close()

    def send(control: socket.socket, number: int) -> None:
        if refusal == "gone":
            send_session_request(control, number, sent[0])
        else:
            raise OSError(109, "too many references")

    forker = PlayedForker(ours)
    with pytest.raises(LaunchError):
        await starts._ask(forker, send, 1.0, is_own_child=True)
    for one in sent:
        one.close()
    assert requests.asked == ()
    assert requests.sessions_with_starts == frozenset()


def test_a_child_of_another_process_is_not_taken_for_one_that_was_waited_for() -> None:
    requests, reaped = ForkRequests(KnownChildren()), list[str]()
    requests._unclaimed[os.getppid()] = lambda: reaped.append("reaped")
    requests.reap_unclaimed()
    assert reaped == []


async def test_with_a_template_its_session_holders_end_and_no_others(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = ForkRequests(KnownChildren())
    holders = SessionHolders(requests, print)
    ended, template, another = list[SessionHolder](), object(), object()
    ours = SessionHolder(1, pair[0], template, 0.0)  # type: ignore[arg-type]
    others = SessionHolder(2, pair[1], another, 0.0)  # type: ignore[arg-type]
    monkeypatch.setattr(holders, "_living", {ours, others})
    monkeypatch.setattr(holders, "end", lambda *these, reason: ended.extend(these))
    holders.end_of(template, "It is over.")  # type: ignore[arg-type]
    assert ended == [ours]
