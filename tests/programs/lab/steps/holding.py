"""The lab itself: how fast it is there, and that nothing of it is left."""

import os
import signal
import time
from typing import Final

from sdk.testing.frr_lab import FrrLab
from tests.programs.lab import leftovers
from tests.programs.lab.stage import Stage
from tests.programs.lab.step import step

ROUTE_SECONDS: Final = 20.0
"""How long a route of OSPF may take once the logins answer: a second on an idle machine, and half a minute with the
timers that FRR has by itself. Until the logins answer, it is the machine that takes its time."""

LEFT_SECONDS: Final = 30.0


@step("each start of the lab has a route within 20 s of its logins")
def starts(stage: Stage) -> str:
    """The one that the other steps use counts too: it started beside the worker."""
    seen = [stage.started_seconds]
    while len(seen) < stage.options.starts:
        lab = FrrLab()
        with lab:
            seen.append(dict(lab.seconds))
    ssh, ospf, bgp = ([each[what] for each in seen] for what in ("ssh", "ospf", "bgp"))
    took = max(route - login for route, login in zip(ospf, ssh, strict=True))
    assert took <= ROUTE_SECONDS, (
        f"a route took {took:.1f} s; logins: {_listed(ssh)}, routes: {_listed(ospf)}"
    )
    return (
        f"{len(seen)} starts; logins after {_listed(ssh)} s, a route of OSPF after {_listed(ospf)} s, "
        f"of BGP after {_listed(bgp)} s"
    )


@step("kill -9 of the holder leaves no process, namespace, link or account")
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
