"""What a job sees of real routers."""

from functools import partial
from typing import Any, Final

from sdk.testing.frr_lab import FrrDevice, topology
from tests.patience import wait_until
from tests.programs.lab.stage import Stage
from tests.programs.lab.step import step

SHOW: Final = "neops_base/show_command:1.0.0"
FACTS: Final = "neops_base/device_facts:1.0.0"
INTERFACES: Final = "neops_base/interface_facts:1.0.0"
NEIGHBORS: Final = "neops_base/neighbors:1.0.0"
ROUTES: Final = "neops_base/routes:1.0.0"
DETECT: Final = "neops_base/platform_detect:1.0.0"


@step("a command is answered in full, by a login to a shell and by one to FRR's command line")
def shown(stage: Stage) -> str:
    """On each router."""
    seconds = 0.0
    for router in stage.routers:
        for login in (router, router.vtysh):
            done = stage.job(SHOW, {"commands": ["show version"]}, login)
            assert f"({router.hostname})" in str(done.data), done.data
            seconds = max(seconds, done.seconds)
    return f"{2 * len(stage.routers)} jobs, each at most {seconds:.2f} s"


@step("facts and interfaces are those of the router")
def facts(stage: Stage) -> str:
    """Of r2, which has two links."""
    router, known = stage.routers[1], topology.ROUTERS[1]
    told = stage.job(FACTS, {}, router).data
    assert router.hostname in str(told), told
    found = {each["name"]: each for each in stage.job(INTERFACES, {}, router).data["interfaces"]}
    for link in known.links:
        assert link.address in found[link.name]["addresses"], found[link.name]
        assert found[link.name]["description"] == f"to {link.peer} {link.peer_interface}"
    return f"{told.get('software_release')}; {', '.join(found)}"


@step("each neighbour is seen by LLDP, where the link says it is")
def neighbours(stage: Stage) -> str:
    """By the login to a shell: FRR itself speaks no LLDP, and says so."""
    told = []
    for router, known in zip(stage.routers, topology.ROUTERS, strict=True):
        # A router says who it is every two seconds, and no start of a lab waits for that.
        names = [link.peer for link in known.links]
        wait_until(partial(stage.has_heard_of, router, names), f"{router.hostname} has heard of {names}")
        seen = stage.job(NEIGHBORS, {}, router).data["neighbors"]
        found = {(each["local_interface"], each["name"], each["interface"]) for each in seen}
        assert found == {(link.name, link.peer, link.peer_interface) for link in known.links}, seen
        told += [f"{router.hostname} {here} - {there} {port}" for here, there, port in sorted(found)]
    result = stage.job(NEIGHBORS, {}, stage.routers[0].vtysh).result
    assert result["success"] is False
    assert "no LLDP" in result["message"], result["message"]
    return "; ".join(told)


@step("routes are those that OSPF and BGP have brought")
def routes(stage: Stage) -> str:
    """Of the routers at both ends, by both logins."""
    for router, other in ((stage.routers[0], topology.ROUTERS[2]), (stage.routers[2], topology.ROUTERS[0])):
        for login in (router, router.vtysh):
            found = routes_of(stage, login)
            assert found.get(f"{other.loopback}/32") == "ospf", found
            assert found.get(other.network) == "bgp", found
    return ", ".join(
        f"{prefix} {protocol}" for prefix, protocol in routes_of(stage, stage.routers[0]).items()
    )


@step("the platform is found out in one login, within 5 s")
def detected(stage: Stage) -> str:
    """Of a device whose platform nobody has given; the router's own log says how many logins there were.

    Half a second is usual; to try each platform in turn takes ten and more.
    """
    told = []
    for login in (stage.routers[0], stage.routers[0].vtysh):
        before = stage.logins(login)
        entity = {key: value for key, value in login.to_neops_device().items() if key != "platform"}
        done = stage.job(DETECT, {}, entity)
        logins = stage.logins(login) - before
        assert "frr" in str(done.data), done.data
        assert logins == 1, f"{logins} logins"
        assert done.seconds <= 5, f"{done.seconds:.2f} s"
        told.append(f"{login.username} {done.seconds:.2f} s")
    return f"frr, in one login each: {', '.join(told)}"


def routes_of(stage: Stage, router: FrrDevice | dict[str, Any]) -> dict[str, str]:
    """Return the protocol of each route of a router, by its prefix, as a job finds them."""
    return {each["prefix"]: each["protocol"] for each in stage.job(ROUTES, {}, router).data["routes"]}
