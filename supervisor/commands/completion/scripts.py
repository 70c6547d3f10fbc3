"""The scripts for bash, zsh and fish. They are made once, so no Python starts while somebody types."""

import shlex
from collections.abc import Callable, Sequence
from typing import Final

from supervisor.commands.completion.flags import CommandFlags, Flag

_SUMMARY_CHARS: Final = 80


def bash(commands: Sequence[CommandFlags]) -> str:
    """Return the script for bash."""
    flags = "\n".join(f"    {_case(each)}) words={shlex.quote(_words(each))} ;;" for each in commands)
    values = "\n".join(
        f"    {_case(each)}:{name}) values={shlex.quote(' '.join(flag.values))} ;;"
        for each in commands
        for flag in each.flags
        for name in flag.names
        if flag.values
    )
    files = "|".join(sorted(_names_of_files(commands)))
    return _BASH.format(
        names=" ".join(each.name for each in commands if each.name), flags=flags, values=values, files=files
    )


def zsh(commands: Sequence[CommandFlags]) -> str:
    """Return the script for zsh, which uses the one for bash."""
    return "#compdef supervisor\nautoload -U +X bashcompinit && bashcompinit\n" + bash(commands)


def fish(commands: Sequence[CommandFlags]) -> str:
    """Return the script for fish."""
    lines = ["complete -c supervisor -f"]
    for command in commands:
        if command.name:
            summary = shlex.quote(command.summary)
            lines.append(f"complete -c supervisor -n __fish_use_subcommand -a {command.name} -d {summary}")
        where = f"'__fish_seen_subcommand_from {command.name}'" if command.name else "__fish_use_subcommand"
        lines += [
            _fish_flag(where, flag, name) for flag in command.flags for name in flag.names if name[:2] == "--"
        ]
    return "\n".join(lines) + "\n"


SHELLS: Final[dict[str, Callable[[Sequence[CommandFlags]], str]]] = {"bash": bash, "zsh": zsh, "fish": fish}


def _fish_flag(where: str, flag: Flag, name: str) -> str:
    line = f"complete -c supervisor -n {where} -l {name[2:]} -d {shlex.quote(flag.help[:_SUMMARY_CHARS])}"
    if flag.values:
        return f"{line} -x -a {shlex.quote(' '.join(flag.values))}"
    return f"{line} -r -F" if _is_file(flag) else f"{line} -x" if flag.metavar else line


def _case(command: CommandFlags) -> str:
    return command.name or "''"


def _words(command: CommandFlags) -> str:
    return " ".join(name for flag in command.flags for name in flag.names)


def _is_file(flag: Flag) -> bool:
    return flag.metavar in {"PATH", "DIRECTORY", "FILE"} or "--function-blocks" in flag.names


def _names_of_files(commands: Sequence[CommandFlags]) -> set[str]:
    return {name for each in commands for flag in each.flags if _is_file(flag) for name in flag.names}


_BASH: Final = """\
# Completion for `supervisor`, as `supervisor completion` prints it.
_supervisor() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command='' words='' values=''
  local names='{names}'
  case " $names " in *" ${{COMP_WORDS[1]}} "*) [ "$COMP_CWORD" -gt 1 ] && command=${{COMP_WORDS[1]}} ;; esac
  COMPREPLY=()
  case "$command:$previous" in
{values}
  esac
  if [ -n "$values" ]; then COMPREPLY=($(compgen -W "$values" -- "$current")); return; fi
  case "$previous" in {files}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case "$command" in
{flags}
  esac
  if [ "$COMP_CWORD" -eq 1 ] && [ "${{current#-}}" = "$current" ]; then words="$names"; fi
  if [ -z "$command" ] || [ "${{current#-}}" != "$current" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _supervisor supervisor
"""
