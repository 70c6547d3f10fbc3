"""Commands that can undo a change: `configure replace`, the timer of `configure terminal revert`, and `reload in`."""

import re

from sdk.testing.devices.command_table import CommandLineError
from sdk.testing.devices.ios_config_commands import configure
from sdk.testing.devices.ios_configuration import IosConfiguration
from sdk.testing.devices.ios_device import IosDevice
from sdk.testing.devices.ios_state import YES, Mode, Question, SessionState

_BACKUP = "flash:archive-revert"
_SAVE = "System configuration has been modified. Save? [yes/no]: "
_WARNING = (
    "This will apply all necessary additions and deletions\n"
    "to replace the current running configuration with the\n"
    "contents of the specified configuration file, which is\n"
    "assumed to be a complete configuration, not a partial\n"
    "configuration."
)


def load(device: IosDevice, text: str, user: str) -> list[str]:
    """Make `text` the configuration of `device`; return the lines that it refuses."""
    device.configuration = IosConfiguration.empty(device.configuration)
    refused = _type(SessionState(device, Mode.CONFIG, user), text)
    device.note_change(user)
    return refused


def merge(state: SessionState, text: str) -> list[str]:
    """Add `text` to the configuration of the session's device; return the lines that it refuses."""
    return _type(SessionState(state.device, Mode.CONFIG, state.user), text)


def _type(state: SessionState, text: str) -> list[str]:
    refused = []
    # In a file, the sign of a banner is one character; it is printed as two.
    for line in text.replace("^C", "\x03").splitlines():
        if state.question is not None:
            question, state.question = state.question, None
            question.answer(state, line)
            continue
        if not line.strip() or line.startswith("!") or line.strip() == "end":
            continue
        if not line.startswith(" "):
            state.enter(Mode.CONFIG)
        try:
            answer = configure(state, line)
        except CommandLineError as error:
            answer = str(error)
        if answer:
            refused.append(line)
    return refused


def start_configuring(state: SessionState, argument: str) -> str:
    """`configure terminal [revert timer MINUTES]`."""
    told = ""
    if argument:
        match = re.fullmatch(r"revert\s+timer\s+(\d+)", argument)
        if match is None:
            raise CommandLineError("% Incomplete command.")
        told = _start_revert_timer(state, int(match[1]))
    state.enter(Mode.CONFIG)
    return f"{told}Enter configuration commands, one per line.  End with CNTL/Z."


def _start_revert_timer(state: SessionState, minutes: int) -> str:
    device, user = state.device, state.user
    backup = device.running_config()
    device.files[_BACKUP] = backup

    def revert() -> None:
        device.revert_timer = None
        load(device, backup, "Rollback Confirmed Change")

    if device.revert_timer is not None:
        device.revert_timer.cancel()
    device.revert_timer = device.in_minutes(minutes, f"revert for {user}", revert)
    return (
        f"Rollback Confirmed Change: Backing up current running config to {_BACKUP}\n"
        f"Rollback Confirmed Change: Rollback to {_BACKUP} in {minutes} minutes\n"
    )


def confirm(state: SessionState, _argument: str) -> str:
    """`configure confirm`: keep the change."""
    timer, state.device.revert_timer = state.device.revert_timer, None
    if timer is None:
        return "%No Rollback Confirmed Change pending"
    timer.cancel()
    return ""


def revert_now(state: SessionState, _argument: str) -> str:
    """`configure revert now`: undo the change."""
    timer, state.device.revert_timer = state.device.revert_timer, None
    if timer is None:
        return "%No Rollback Confirmed Change pending"
    timer.cancel()
    return _replace(state, state.device.files[_BACKUP])


def replace(state: SessionState, argument: str) -> str:
    """`configure replace FILE [force]`."""
    name, _, option = argument.partition(" ")
    text = state.device.file(name)
    if text is None:
        return f"%Error opening {name} (No such file or directory)"
    if option.strip() in ("force", "force list"):
        return _replace(state, text)

    def answered(state: SessionState, answer: str) -> str:
        return _replace(state, text) if answer.strip().lower().startswith("y") else "Rollback aborted."

    state.question = Question("Enter Y if you are sure you want to proceed. ? [no]: ", answered)
    return _WARNING


def _replace(state: SessionState, text: str) -> str:
    before = set(state.device.running_config().splitlines())
    refused = load(state.device, text, state.user)
    passes = len(before ^ set(state.device.running_config().splitlines()))
    told = "".join(f"The rollback configlet from the last pass refused: {line}\n" for line in refused)
    return f"{told}\nTotal number of passes: {1 if passes else 0}\nRollback Done\n"


def reload_in(state: SessionState, argument: str) -> str:
    """`reload in MINUTES`: asks whether to save changes that were not saved, then `[confirm]`."""
    match = re.match(r"(\d{1,4})\b", argument)
    if match is None:
        raise CommandLineError("% Incomplete command.")
    minutes, device, user = int(match[1]), state.device, state.user

    def answered(_state: SessionState, key: str) -> str:
        if key not in YES:
            return ""
        if device.reload_timer is not None:
            device.reload_timer.cancel()

        def due() -> None:
            device.reload_timer = None
            device.reload()

        device.reload_timer = device.in_minutes(minutes, f"reload by {user}", due)
        return ""

    proceed = Question("Proceed with reload? [confirm]", answered, takes_a_key=True)
    told = f"Reload scheduled in {minutes} minutes by {user} on vty0"

    def saved(state: SessionState, answer: str) -> str:
        if answer.strip().lower().startswith("y"):
            device.save()
        state.question = proceed
        return told

    if device.is_touched:
        state.question = Question(_SAVE, saved)
        return ""
    state.question = proceed
    return told


def reload_cancel(state: SessionState, _argument: str) -> str:
    """`reload cancel`."""
    timer, state.device.reload_timer = state.device.reload_timer, None
    if timer is None:
        return "%No reload is scheduled."
    timer.cancel()
    return "\n***\n*** --- SHUTDOWN ABORTED ---\n***\n"


def reload_now(state: SessionState, _argument: str) -> str:
    """`reload`: asks whether to save if something was not saved, then `[confirm]`."""
    proceed = Question("Proceed with reload? [confirm]", _reload_if_confirmed, takes_a_key=True)

    def saved(state: SessionState, answer: str) -> str:
        if answer.strip().lower().startswith("y"):
            state.device.save()
        state.question = proceed
        return ""

    if state.device.startup_config == state.device.running_config():
        state.question = proceed
    else:
        state.question = Question(_SAVE, saved)
    return ""


def _reload_if_confirmed(state: SessionState, key: str) -> str:
    if key in YES:
        state.device.reload()
    return ""
