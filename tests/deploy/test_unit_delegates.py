"""What the unit delegates, to the user that exists only for the service and under all of the unit's hardening."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from deploy_support import ROOT, UNIT
from private_systemd import evidence, is_open_to_all, private_systemd, wait_for_file, why_not

from tests.patience import PATIENCE_SECONDS

REASON = why_not()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

PYTHON = Path("/usr/bin/python3")
SERVICE = "neops-supervisor.service"
JOB = Path(__file__).with_name("delegated_job.py")
SCRIPT = f"""
systemctl start {SERVICE}
echo $? >code.new
find /sys/fs/cgroup -name 'neops-worker-*' >left
mv code.new code
"""


def machines_own_python() -> str:
    """Why the machine's own interpreter can't be used; empty when it can."""
    if not PYTHON.exists():
        return f"there is no {PYTHON}"
    asked = "import sys; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run([PYTHON, "-c", asked], timeout=PATIENCE_SECONDS, check=False).returncode:
        return f"{PYTHON} is older than 3.11"
    return "" if is_open_to_all(ROOT) else f"{ROOT} can't be reached by a service's user"


async def test_the_services_own_user_may_make_cgroups_kill_in_them_and_remove_them(tmp_path: Path) -> None:
    if reason := machines_own_python():
        pytest.skip(reason)
    log = tmp_path / "console"
    drop_in = [
        *("[Unit]", "DefaultDependencies=no", "[Service]", "Type=oneshot", "Restart=no", "EnvironmentFile="),
        *("ExecStart=", f"ExecStart={PYTHON} -B {JOB}", f"Environment=PYTHONPATH={ROOT}"),
        f"StandardError=file:{log}",
    ]
    units = {SERVICE: UNIT.read_text(), f"{SERVICE}.d/test.conf": "\n".join(drop_in) + "\n"}
    with private_systemd(tmp_path, units, SCRIPT) as work:
        code = await asyncio.to_thread(wait_for_file, work / "code", 40)
        said = log.read_text()
        assert code == "0\n", evidence(tmp_path)
    assert "Cgroups for each job: kill" in said
    assert "inside True" in said
    assert "ended by -9" in said
    assert f"uid {os.getuid()}" not in said, "DynamicUser gives the service a user of its own"
    assert (work / "left").read_text() == ""
