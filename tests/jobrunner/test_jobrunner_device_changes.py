"""What a child tells of a change is always a message that the supervisor takes, and never a reason to fail."""

import socket
from collections.abc import Iterator

import pytest

from jobrunner.channel import Channel
from jobrunner.device_reports import reporting_changes
from jobrunner.protocol.caps import CHANGES_CAP, DEVICE_CAP_CHARS, LINES_CAP
from jobrunner.protocol.frames import receive_frame
from jobrunner.protocol.messages import DeviceChange, from_child
from sdk.connection.changes.record import ChangeReport, Stage

LARGEST = ChangeReport(CHANGES_CAP, "r1\n\x00" + "x" * 1000, Stage.CHANGING, LINES_CAP + 1, 60.0)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    child, supervisor = socket.socketpair()
    channel = Channel(child.detach())
    yield channel, supervisor
    supervisor.close()
    channel._socket.close()


def test_a_name_with_line_ends_and_too_many_lines_are_told_as_the_protocol_allows(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, supervisor = ends
    with supervisor:
        reporting_changes(channel)(LARGEST)
        frame = receive_frame(supervisor, 100_000)
    assert frame is not None
    message = from_child(frame)
    assert isinstance(message, DeviceChange)
    assert message.device.startswith("r1 xxx")
    assert (len(message.device), message.lines) == (DEVICE_CAP_CHARS, LINES_CAP)


def test_more_changes_than_the_worker_keeps_and_a_worker_that_is_gone_harm_nothing(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, supervisor = ends
    with supervisor:
        reporting_changes(channel)(ChangeReport(CHANGES_CAP + 1, "r1", Stage.CHANGED, 1))
        supervisor.setblocking(False)
        with pytest.raises(BlockingIOError):
            supervisor.recv(1)
    reporting_changes(channel)(LARGEST)
