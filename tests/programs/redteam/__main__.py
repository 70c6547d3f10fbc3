"""The command line: every attack against a real worker, two at a time; exit code 0 when each one held."""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.programs.redteam.attack import Attack
from tests.programs.redteam.attacks import all_attacks
from tests.programs.redteam.finding import Finding, State, table
from tests.programs.redteam.known_open import KNOWN_OPEN

_AT_ONCE: Final = 2
_END_SECONDS: Final = 20.0


def main() -> int:
    """Try the attacks. Returns 0 when all that could be tried held, else 1; 2 for a number that nobody knows."""
    attacks = all_attacks()
    arguments = _parser().parse_args()
    if unknown := sorted({*arguments.only} - {*attacks}):
        print(
            f"redteam: no attack is called {', '.join(unknown)}; there are {', '.join(attacks)}",
            file=sys.stderr,
        )
        return 2
    chosen = [
        attack
        for attack in attacks.values()
        if attack.number in arguments.only or (not arguments.only and (attack.short or not arguments.short))
    ]
    begun = time.monotonic()
    findings = asyncio.run(_try_all(chosen))
    if not arguments.only:
        findings += [
            Finding(number, title, State.OPEN, why, 0.0) for number, (title, why) in KNOWN_OPEN.items()
        ]
    print(table(findings))
    print(f"as user {os.geteuid()}, {time.monotonic() - begun:.0f} s")
    return int(any(finding.state in (State.BROKEN, State.ERROR) for finding in findings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.redteam", description="Replay every known attack on a real worker."
    )
    parser.add_argument("only", nargs="*", metavar="NUMBER", help="attacks to try; by default all")
    parser.add_argument("--short", action="store_true", help="only those that are quick, as the gate does")
    return parser


async def _try_all(attacks: Sequence[Attack]) -> list[Finding]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(attack: Attack) -> Finding:
        async with places:
            finding = await _try(attack)
            if not finding.may_be_by_chance:
                return finding
            print(f"{attack.number} is tried once more. The first try: {finding.figure}", file=sys.stderr)
            return await _try(attack)

    return list(await asyncio.gather(*map(one, attacks)))


async def _try(attack: Attack) -> Finding:
    """Try one attack in a process of its own, and end that with all that it has started."""
    directory = Path(tempfile.mkdtemp(prefix="neops-redteam-"))
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.programs.redteam.one", attack.number, str(directory),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(attack.seconds):
            stdout, stderr = await process.communicate()
        said = json.loads(stdout.splitlines()[-1])
        return Finding(**{**said, "state": State(said["state"])})
    except TimeoutError:
        return _error(attack, f"it was not over within {attack.seconds:g} s", begun)
    except (ValueError, IndexError):
        return _error(attack, stderr.decode(errors="replace")[-600:], begun)
    finally:
        await _end(process)
        # An attack may leave what can't be removed at once; the next run has a directory of its own.
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _error(attack: Attack, text: str, begun: float) -> Finding:
    return Finding(attack.number, attack.title, State.ERROR, text, time.monotonic() - begun)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)  # its `finally` blocks take away what it has made
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    sys.exit(main())
