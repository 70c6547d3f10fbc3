"""`top` on a terminal goes on for as long as a worker may come back, and ends where it is told no."""

import io

import pytest
from rich.console import Console

from supervisor.commands.top.screen import show_live
from supervisor.commands.top.snapshot import Snapshot, snapshot_of
from supervisor.worker.control_socket.client import NoWorkerError
from supervisor.worker.control_socket.protocol import ControlError

ANSWER = snapshot_of(
    {
        "worker": {
            "worker": "w-uuid", "name": "edge-1", "ready": True, "why_not": [], "slots": 4, "spares": 2,
            "waiting": 0, "results_waiting": 0, "engine": "http://engine:3030 answers",
        },
        "jobs": [],
    }
)  # fmt: skip
NOBODY = NoWorkerError("No worker listens there.")
STARTING = ControlError("starting", "The worker is on its way up.")
BUSY = ControlError("busy", "16 others ask this worker already.")


class Screen:
    """Shows a worker that answers so, one look after the other, each at its own time; after them comes Ctrl-C."""

    def __init__(self, *answers: Snapshot | Exception) -> None:
        self._answers: list[Snapshot | BaseException] = [*answers, KeyboardInterrupt()]
        self._looks = 0
        self._file = io.StringIO()

    @property
    def shown(self) -> str:
        return self._file.getvalue()

    def show(self) -> None:
        console = Console(file=self._file, width=100, height=20, force_terminal=True, color_system=None)
        show_live(console, self._ask, lambda: f"look {self._looks}", 0)

    def _ask(self) -> Snapshot:
        answer = self._answers[self._looks]
        self._looks += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_a_worker_that_is_started_anew_is_shown_again_once_it_is_up() -> None:
    screen = Screen(ANSWER, NOBODY, STARTING, BUSY, ANSWER)
    with pytest.raises(KeyboardInterrupt):
        screen.show()
    looks = ["look 1  edge-1: ready", str(NOBODY), str(STARTING), str(BUSY), "look 5  edge-1: ready"]
    places = [screen.shown.find(each) for each in looks]
    assert -1 not in places
    assert places == sorted(places)
    assert screen.shown.count("No worker answers, since look 2.") == 3


def test_a_worker_that_has_come_back_and_is_gone_again_is_away_since_then() -> None:
    screen = Screen(ANSWER, NOBODY, ANSWER, NOBODY)
    with pytest.raises(KeyboardInterrupt):
        screen.show()
    assert "No worker answers, since look 4." in screen.shown


@pytest.mark.parametrize(
    "answers",
    [(STARTING,), (NOBODY,), (ANSWER, ControlError("worker_error", "A bug in this worker."))],
    ids=["it starts", "there is none", "another no"],
)
def test_a_no_that_does_not_pass_and_any_at_the_first_look_end_it(
    answers: tuple[Snapshot | Exception, ...],
) -> None:
    with pytest.raises((ControlError, NoWorkerError)) as raised:
        Screen(*answers).show()
    assert raised.value is answers[-1]
