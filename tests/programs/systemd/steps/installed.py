"""Installed by `make install`, into a directory, and taken away again."""

import asyncio
import sys
from pathlib import Path

from supervisor.commands.deploy.unit import INSTANCE, LOCAL, PLAIN, unit_text
from tests.programs.systemd.manager import ROOT, Manager
from tests.programs.systemd.step import step

_PREFIX = Path("/opt/neops-supervisor")
_INSTALL_SECONDS = 300


async def make(verb: str, destination: Path) -> str:
    """Run `make install` or `make uninstall` of this checkout, and return what it says."""
    process = await asyncio.create_subprocess_exec(
        "make",
        f"--directory={ROOT}",
        verb,
        f"DESTDIR={destination}",
        f"PYTHON={Path(sys.base_prefix) / 'bin/python3'}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_INSTALL_SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = output.decode(errors="replace")
    assert process.returncode == 0, f"make {verb}: {said[-2000:]}"
    return said


@step(
    "make install DESTDIR=…: units for where it will be, a worker that runs; make uninstall leaves no trace"
)
async def installed(manager: Manager) -> str:
    destination = manager.log.parent / "destination"
    destination.mkdir()
    await make("install", destination)
    units = destination / "etc/systemd/system"
    for form in (PLAIN, INSTANCE, LOCAL):
        assert (units / form.file).read_text() == unit_text(form, _PREFIX / "bin/supervisor"), form.file
    assert (destination / "usr/local/share/man/man1/supervisor.1").is_file()
    environment = destination / str(_PREFIX).lstrip("/")
    megabytes = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file()) / 2**20
    named = [
        str(path)
        for path in destination.rglob("*")
        if path.is_file() and not path.is_symlink() and str(destination).encode() in path.read_bytes()
    ]
    assert not named, f"they name the place where they were made: {named[:5]}"
    # With its own interpreter: the scripts name the place where it will be.
    process = await asyncio.create_subprocess_exec(
        *(str(environment / "bin/python3"), "-P", "-m", "supervisor", "--version"),
        stdout=asyncio.subprocess.PIPE,
    )
    found = (await process.communicate())[0].decode()
    assert (environment / "bin/supervisor").read_text().startswith(f"#!{_PREFIX}/bin/python"), (
        "its first line"
    )
    assert "neops-supervisor" in found, found
    await make("uninstall", destination)
    left = sorted(str(path) for path in destination.rglob("*"))
    assert not left, str(left)
    return f"{megabytes:.0f} MB installed; nothing left"
