"""What the tests of the deployment share."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "neops-supervisor.service"
JOB_USERS = DEPLOY / "neops-supervisor-job-users.conf"
EXAMPLE = DEPLOY / "neops-supervisor.env.example"


def settings_of(text: str) -> dict[str, str]:
    """The assignments of a unit, an environment file or `systemctl show`; comments and sections aside."""
    lines = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
