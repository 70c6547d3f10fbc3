"""The emulated command line without a terminal: a line in, a text out."""

from dataclasses import dataclass

from sdk.testing.devices.command_table import CommandLineError, CommandTable, InvalidInputError
from sdk.testing.devices.ios_config_commands import configure
from sdk.testing.devices.ios_exec_commands import PRIVILEGED_COMMANDS, USER_COMMANDS
from sdk.testing.devices.ios_state import Mode, SessionState


@dataclass(slots=True)
class IosCli:
    """One session on one device. Give it lines with `execute`; `state` has the prompt, and whether it has ended."""

    state: SessionState

    def execute(self, line: str) -> str:
        """Run one line, or take it for the answer to an open question. Return the output.

        The terminal adds the last line end.
        """
        state = self.state
        if state.question is not None:
            question, state.question = state.question, None
            return question.answer(state, line)
        if not line.strip() or line.lstrip().startswith("!"):
            return ""
        try:
            if state.mode.configures:
                return self._configure(line)
            return self._run_piped(line, USER_COMMANDS if state.mode is Mode.USER else PRIVILEGED_COMMANDS)
        except InvalidInputError as error:
            return " " * (len(state.prompt()) + error.column) + f"^\n{error}\n"
        except CommandLineError as error:
            return f"{error}\n"

    def _configure(self, line: str) -> str:
        first_word = line.split()[0]
        if first_word.lower() == "do":
            # Blanks in its place keep an error marker in the right column.
            return self._run_piped(line.replace(first_word, "  ", 1), PRIVILEGED_COMMANDS)
        return configure(self.state, line)

    def _run_piped(self, line: str, commands: CommandTable[SessionState]) -> str:
        """Run a command of the exec modes, which may end in `| include`, `| exclude` or `| begin`."""
        body, pipe, expression = line.partition("|")
        action, argument = commands.find(body)
        output = action(self.state, argument)
        if not pipe:
            return output
        keyword, _, pattern = expression.strip().partition(" ")
        return "\n".join(_filter(output.splitlines(), keyword.lower(), pattern.strip(), column=len(body) + 1))


def _filter(lines: list[str], keyword: str, pattern: str, column: int) -> list[str]:
    # Plain text, where IOS has regular expressions: a test device needs no other way to hang.
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
