"""A refusal is never data, and data is never a refusal."""

import pytest

from sdk.connection.platforms import refusals

REFUSED = [
    "        ^\n% Invalid input detected at '^' marker.\n",
    "% Incomplete command.\n",
    '% Ambiguous command:  "sh i"\n',
    "% Unknown command: show foo\n",
    "% Command incomplete: show\n",
    "% Authorization failed.\n",
    "Command authorization failed.\n\n",
    "syntax error, expecting <command>.\n",
    "Error: Unrecognized command found at '^' position.\n",
    "              ^\nERROR: % Invalid input detected at '^' marker.\n",
    "ERROR: % Incomplete command\n",
    "Invalid input: foo\n",
    "Incomplete input: show\n",
    "command parse error before 'foo'\nCommand fail. Return code -61\n",
    "\nUnknown action 0\nCommand fail. Return code -1\n",
    "bad command name show (line 1 column 1)\n",
    "expected end of command (line 1 column 13)\n",
    "     ^\nError: Bad command.\n",
    "Parsing error: Unknown token 'foo'. Options are ['#', '/', 'show']\n",
    "Invalid syntax.\n",
    "% Authorization denied for command 'show foo'\n",
    "% Unavailable command (not supported on this hardware platform)\n",
    "% This command is not authorized\n",
    "           ^\n % Wrong parameter found at '^' position.\n",
    "           ^\n % Too many parameters found at '^' position.\n",
    "Error: Ambiguous command found at '^' position.\n",
    "Error:Too many parameters found at '^' position.\n",
]
BY_A_SHELL = [
    "-bash: show: command not found",
    "bash: line 1: show: command not found",
    "sh: 1: show: not found",
    "-sh: show: not found",
    "zsh: command not found: show",
    "fish: Unknown command: show",
    "-bash: /usr/bin/vtysh: No such file or directory",
    "show: Command not found.",
    "terminal: command not found",
    "\nCommand 'show' not found, but can be installed with:\n\nsudo apt install nmh\n",
    "Command 'terminal' not found, did you mean:\n  command 'termineter' from deb termineter (1.0.4-1)\n",
]
DATA = [
    "hostname r1\nip route 0.0.0.0/0 Null0",
    "*Nov 1 07:21:13: %PARSER-5-CFGLOG_LOGGEDCMD: command not found in the cache",
    "% BGP instance not found",
    "Command 'show' not found 12 times",
    "r1: command not found in the cache",
    "Command authorization failed:  3\nCommand authorization passed: 12",
    "Received: 7\nInvalid input: none\nDropped: 0",
    "Invalid input: 12\n",
    "Invalid syntax errors: 0",
    "Error: 0\nInvalid input: 0",
    "\n".join([f"line {number} of a log" for number in range(9)] + ["% Invalid input detected"]),
    "",
]


@pytest.mark.parametrize("output", REFUSED)
def test_what_devices_say_when_they_refuse_is_a_refusal(output: str) -> None:
    assert refusals.is_refusal(output)
    assert not refusals.is_foreign_shell(output)


@pytest.mark.parametrize("output", BY_A_SHELL)
def test_what_a_shell_says_to_a_command_it_does_not_know_is_seen(output: str) -> None:
    assert refusals.is_foreign_shell(output)


@pytest.mark.parametrize("output", DATA)
def test_an_answer_is_neither(output: str) -> None:
    assert not refusals.is_refusal(output)
    assert not refusals.is_foreign_shell(output)


def test_the_words_of_a_refusal_are_the_line_that_says_it() -> None:
    assert refusals.words_of(REFUSED[0]) == "% Invalid input detected at '^' marker."
    assert refusals.words_of("motd\n-bash: show: command not found\n\n") == "-bash: show: command not found"
