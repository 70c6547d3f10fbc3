"""What `deploy/install.sh` leaves, as far as it is looked at before it is removed or replaced."""

from pathlib import Path

MARK = ".neops-supervisor-installation"
PACKAGE = "lib/python3.11/site-packages/neops_supervisor-0.2.0.dist-info"


def make_installation(environment: Path) -> None:
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/supervisor").write_text("#!/bin/sh\n")
    (environment / "bin/supervisor").chmod(0o755)
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (environment / PACKAGE).mkdir(parents=True)
    (environment / MARK).write_text("made\n")
