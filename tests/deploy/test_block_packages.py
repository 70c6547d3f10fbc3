"""Packages that blocks need besides: the lines of deploy/README.md that bring them into the worker's environment."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from deploy_support import DEPLOY

from tests.patience import PATIENCE_SECONDS

PREFIX = "/opt/neops-supervisor"
NAME = "of_a_block"


def lines_of_the_page() -> str:
    blocks = re.findall(r"^```sh\n(.*?)^```", (DEPLOY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if "--python" in block]
    return str(block)


def make_wheel(directory: Path) -> Path:
    about = f"{NAME}-1.0.dist-info"
    wheel = directory / f"{NAME}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(f"{NAME}.py", "FOUND = 'found'\n")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(
            f"{about}/RECORD", f"{NAME}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    return wheel


def test_the_page_s_lines_need_no_pip_of_the_machine_and_leave_what_the_service_may_read(
    tmp_path: Path,
) -> None:
    environment, programs = tmp_path / "env", tmp_path / "programs"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(environment)],
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"{make_wheel(tmp_path)}\n")
    # A machine whose python3 is too old, or has no pip.
    programs.mkdir()
    for name in ("python3", "python", "pip", "pip3"):
        (programs / name).write_text("#!/bin/sh\nexit 9\n")
        (programs / name).chmod(0o755)
    (tmp_path / "temporary").mkdir()
    text = lines_of_the_page().replace(PREFIX, str(environment)).replace(" FILE", f" {wanted}")
    done = subprocess.run(
        ["sh", "-eu", "-c", text],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path / "temporary"),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        umask=0o077,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (module,) = environment.glob(f"lib/python3*/site-packages/{NAME}.py")
    assert module.stat().st_mode & 0o004
    assert list((tmp_path / "temporary").iterdir()) == []
