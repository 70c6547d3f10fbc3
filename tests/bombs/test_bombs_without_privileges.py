"""When a job ends, nothing it started is alive (I4): bombs, under a worker that has nothing but its own signals.

No capability, so no priority either; and no cgroup. As root, the host gives its capabilities up.
"""

import shutil
from collections.abc import Iterator

import pytest

from tests.bombs.bombing import OPTIONS, bomb, without_privileges
from tests.bombs.kinds import KINDS, WITH_A_STACK
from tests.hosting.hosting import Host, hosted


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    prefix = without_privileges()
    if prefix and not shutil.which(prefix[0]):
        pytest.skip("there is no setpriv (util-linux) to give capabilities up with")
    with hosted(tmp_path_factory.mktemp("bombs"), prefix=prefix, **OPTIONS) as host:
        yield host


@pytest.mark.usefixtures("machine_to_itself")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", KINDS)
def test_no_process_of_a_bomb_is_left_behind_its_result_and_the_next_job_is_unharmed(
    host: Host, kind: str
) -> None:
    seen = bomb(host, kind)
    assert (seen["left"], seen["unknown"], seen["stuck"]) == ([], [], False), seen["message"]
    assert seen["leftovers"] > 0
    if kind in WITH_A_STACK:
        assert (seen["cause"], seen["limit"]) == ("process_limit", "processes"), seen["message"]
        assert kind in seen["stack"]
    assert host.run("under_test/says", {"text": "well"})["success"]
