"""The emulated command line without a terminal: a line goes in, text comes out."""

from dataclasses import dataclass

from sdk.testing.devices.grammar import Command, CommandLineError, InvalidInputError, find_command
from sdk.testing.devices.ios_config_commands import CONFIG_COMMANDS, INTERFACE_COMMANDS
from sdk.testing.devices.ios_exec_commands import PRIVILEGED_COMMANDS, USER_COMMANDS
from sdk.testing.devices.ios_state import Mode, SessionState

_TABLES: dict[Mode, tuple[Command[SessionState], ...]] = {
    Mode.USER: USER_COMMANDS,
    Mode.PRIVILEGED: PRIVILEGED_COMMANDS,
    Mode.CONFIG: CONFIG_COMMANDS,
    Mode.INTERFACE: INTERFACE_COMMANDS,
}
_CONFIG_MODES = (Mode.CONFIG, Mode.INTERFACE)


@dataclass(slots=True)
class IosCli:
    """One session on one device. Give it lines with `execute`; `state` tells prompt and end."""

    state: SessionState

    def execute(self, line: str) -> str:
        """Run one line, or take it as the answer to an open question; return the output.

        The last line end is left to the terminal.
        """
        state = self.state
        if state.question is not None:
            question, state.question = state.question, None
            return question.answer(state, line)
        if not line.strip() or line.lstrip().startswith("!"):
            return ""
        try:
            if state.mode in _CONFIG_MODES:
                return self._configure(line)
            return self._run_piped(line, _TABLES[state.mode])
        except InvalidInputError as error:
            return " " * (len(state.prompt()) + error.column) + f"^\n{error}\n"
        except CommandLineError as error:
            return f"{error}\n"

    def _configure(self, line: str) -> str:
        first_word = line.split()[0]
        if first_word.lower() == "do":
            # Blanks in its place keep the column of an error marker right.
            return self._run_piped(line.replace(first_word, "  ", 1), PRIVILEGED_COMMANDS)
        try:
            return self._run(line, _TABLES[self.state.mode])
        except InvalidInputError:
            if self.state.mode is not Mode.INTERFACE:
                raise
        command, arguments = find_command(line, CONFIG_COMMANDS)
        # A global command leaves the interface, as on IOS.
        self.state.mode, self.state.interface = Mode.CONFIG, None
        return command.action(self.state, arguments)

    def _run(self, line: str, commands: tuple[Command[SessionState], ...]) -> str:
        command, arguments = find_command(line, commands)
        return command.action(self.state, arguments)

    def _run_piped(self, line: str, commands: tuple[Command[SessionState], ...]) -> str:
        """Run a command of the exec modes, which may end in `| include`, `| exclude` or `| begin`."""
        body, pipe, expression = line.partition("|")
        if not pipe:
            return self._run(line, commands)
        keyword, _, pattern = expression.strip().partition(" ")
        lines = self._run(body, commands).splitlines()
        return "\n".join(_filter(lines, keyword.lower(), pattern.strip(), column=len(body) + 1))


def _filter(lines: list[str], keyword: str, pattern: str, column: int) -> list[str]:
    # Plain text where IOS has regular expressions: a test device needs no second way to hang.
    if not keyword:
        raise CommandLineError("% Incomplete command.")
    if "include".startswith(keyword):
        return [line for line in lines if pattern in line]
    if "exclude".startswith(keyword):
        return [line for line in lines if pattern not in line]
    if "begin".startswith(keyword):
        first = next((index for index, line in enumerate(lines) if pattern in line), len(lines))
        return lines[first:]
    raise InvalidInputError(column)
