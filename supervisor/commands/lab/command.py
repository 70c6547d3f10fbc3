"""`supervisor lab`: devices on this machine for trying blocks: real FRR routers, or emulated IOS."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from supervisor.commands.lab.holder import LabPlace, end, place_of, start
from supervisor.commands.shared.command_settings import EXIT_INTERRUPTED
from supervisor.commands.shared.common import EXIT_FAILED
from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.json_output import print_json
from supervisor.commands.shared.table import print_rows
from supervisor.errors import SupervisorError
from supervisor.settings.command_parser import CommandParser

PROGRAM: Final = "supervisor lab"
LABS: Final = {
    "frr": "three real routers of FRR: r1 - r2 - r3, with OSPF, BGP and LLDP",
    "iol": "two emulated IOS devices: their answers are invented",
}
_EPILOG: Final = (
    "`frr` needs Debian's packages frr openssh-server lldpd iproute2 iputils-ping, and root or a user that may\n"
    "create namespaces. `iol` needs neops-supervisor[emulator]. A lab runs until `supervisor lab down`. It changes\n"
    "neither the accounts nor the network of this machine: its ports are on 127.0.0.1.\n"
    "Example: supervisor lab up frr"
)


def run(arguments: list[str]) -> int:
    """Do the action. Returns 0, 1 if it could not be done; exits with 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    places = [place_of(lab) for lab in ([options.lab] if options.lab else LABS)]
    try:
        if options.action == "up":
            _up(place_of(options.lab or "frr"), options.show_passwords, options.json)
        elif options.action == "down":
            _down(places, options.json)
        else:
            _status(places, options.json)
    except SupervisorError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:  # a lab that is still starting ends by itself
        return EXIT_INTERRUPTED
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=PROGRAM,
        description="Start a lab of devices on this machine, end it, or show which labs run and how to reach them.",
        epilog=_EPILOG,
    )
    parser.add_argument("action", choices=("up", "down", "status"), help="what to do")
    parser.add_argument(
        "lab",
        nargs="?",
        choices=tuple(LABS),
        help="the lab; default: frr for up, all of them for down and status",
    )
    parser.add_argument(
        "--show-passwords", action="store_true", help="with up: print the passwords, not only where they are"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _up(place: LabPlace, show_passwords: bool, as_json: bool) -> None:
    ran_already = place.holder_pid() is not None
    if not ran_already:
        if not as_json:
            print(f"Starting the lab {place.lab}: {LABS[place.lab]}.", flush=True)
        start(place)
    devices = place.devices()
    if as_json:
        facts = _as_json(place, devices)
        if show_passwords:
            for shown, device in zip(facts["devices"], devices, strict=True):
                shown["password"] = device["password"]
        print_json(facts, indent=None)
        return
    print(f"The lab {place.lab} {'runs already' if ran_already else 'runs'}.\n")
    _print_devices(devices, show_passwords)
    print(f"\nPasswords:    {place.passwords}\nFor a job:    {place.context}\n")
    first = devices[0]
    print(f"Log in:       ssh -p {_port(first)} {first['username']}@{first['ip']}")
    if place.lab == "frr":
        print("              (account vty instead of netop: FRR's own command line; the same password)")
    print(
        f"Run a block:  supervisor run-block device_facts --entity-id {first['id']} --context {place.context}"
    )
    print(f"End it:       {PROGRAM} down {place.lab}")


def _down(places: Sequence[LabPlace], as_json: bool) -> None:
    ended = [place.lab for place in places if end(place)]
    if as_json:
        print_json({"ended": ended}, indent=None)
    elif ended:
        print(f"Ended: {', '.join(ended)}. Nothing of it is left.")
    else:
        print("No lab runs." if len(places) > 1 else f"The lab {places[0].lab} does not run.")


def _status(places: Sequence[LabPlace], as_json: bool) -> None:
    running = [place for place in places if place.holder_pid() is not None]
    if as_json:
        print_json({"running": [_as_json(place, place.devices()) for place in running]}, indent=None)
        return
    for place in running:
        print(f"The lab {place.lab} runs (process {place.holder_pid()}): {LABS[place.lab]}.\n")
        _print_devices(place.devices(), show_passwords=False)
        print(f"\nPasswords:    {place.passwords}\nFor a job:    {place.context}\n")
    if not running:
        print("No lab runs. Start one with: supervisor lab up frr, or: supervisor lab up iol")


def _print_devices(devices: Sequence[dict[str, Any]], show_passwords: bool) -> None:
    titles = ["device", "address", "port", "account", *(["password"] if show_passwords else [])]
    rows = [
        [device["hostname"], device["ip"], str(_port(device)), device["username"]]
        + ([device["password"]] if show_passwords else [])
        for device in devices
    ]
    print_rows(OutputConsole(), titles, rows)


def _as_json(place: LabPlace, devices: Sequence[dict[str, Any]]) -> dict[str, Any]:
    shown = [
        {
            "hostname": device["hostname"],
            "host": device["ip"],
            "port": _port(device),
            "username": device["username"],
        }
        for device in devices
    ]
    files = {"passwords": str(place.passwords), "context": str(place.context)}
    return {"lab": place.lab, "holder_pid": place.holder_pid(), "devices": shown, **files}


def _port(device: dict[str, Any]) -> int:
    return int(json.loads(device["connectionOptions"])["port"])
