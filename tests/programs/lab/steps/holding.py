"""The lab itself: how fast it is there, and that nothing of it is left."""

import os
import signal
import time
from typing import Final

from sdk.testing.frr_lab import FrrLab
from tests.programs.lab import leftovers
from tests.programs.lab.stage import Stage
from tests.programs.lab.step import step

ROUTE_SECONDS: Final = 5.0
LEFT_SECONDS: Final = 3.0


@step("each start of the lab has a route within 5 s")
def starts(stage: Stage) -> str:
    """The one that the other steps use counts too: it started beside the worker."""
    took = [stage.started_seconds["ospf"]]
    with_bgp = [stage.started_seconds["bgp"]]
    while len(took) < stage.options.starts:
        lab = FrrLab()
        with lab:
            took.append(lab.seconds["ospf"])
            with_bgp.append(lab.seconds["bgp"])
    assert max(took) <= ROUTE_SECONDS, f"a route took {max(took):.1f} s; all: {_listed(took)}"
    return f"{len(took)} starts; a route of OSPF after {_listed(took)} s, of BGP after {_listed(with_bgp)} s"


@step("kill -9 of the holder leaves no process, namespace, link or account after 3 s")
def killed(_: Stage) -> str:
    """Of a lab of its own; the accounts of the machine are compared before and after."""
    before = leftovers.accounts()
    lab = FrrLab()
    with lab:
        traces = leftovers.traces_of(lab.holder_pid)
        begun = time.monotonic()
        os.kill(lab.holder_pid, signal.SIGKILL)
        lab.wait()
        while (left := traces.left()) and time.monotonic() < begun + LEFT_SECONDS:
            time.sleep(0.05)
        seconds = time.monotonic() - begun
    assert not left, f"after {LEFT_SECONDS:g} s there was: {'; '.join(left)}"
    assert leftovers.accounts() == before, "the files of the machine's accounts have changed"
    return f"{len(traces.pids)} processes, {len(traces.namespaces)} namespaces, gone after {seconds:.2f} s"


def _listed(seconds: list[float]) -> str:
    return " ".join(f"{each:.1f}" for each in seconds)
