"""What a job sees of real routers."""

import json

from sdk.testing.frr_lab import topology
from tests.programs.lab.stage import Stage
from tests.programs.lab.step import step

SHOW: str = "neops_base/show_command:1.0.0"


@step("`show_command` asks each router by FRR's own command line")
def shown(stage: Stage) -> str:
    """With a login that gets no shell."""
    names, seconds = [], 0.0
    for router in stage.routers:
        done = stage.job(
            SHOW, {"commands": ["show version", "show ip route json"], "port": router.port}, router.vtysh
        )
        version, routes = (answer["output"] for answer in done.data["outputs"])
        assert f"({router.hostname})" in version, version
        others = {other.network for other in topology.ROUTERS if other.name != router.hostname}
        assert others <= set(json.loads(routes)), f"{router.hostname} has no routes to {others}"
        names.append(router.hostname)
        seconds = max(seconds, done.seconds)
    return f"{', '.join(names)}; each job at most {seconds:.2f} s"
