"""`supervisor completion SHELL`: prints a script for a shell that completes commands, flags and values."""

from typing import Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, CliPositionalArg, PydanticBaseSettingsSource, SettingsConfigDict

from supervisor.commands.shared.common import read_settings
from supervisor.settings.run_settings import RunSettings

PROGRAM: Final = "supervisor completion"
_EPILOG: Final = """\
In ~/.bashrc:
  source <(supervisor completion bash)
In ~/.zshrc, after compinit:
  source <(supervisor completion zsh)
For fish, print it to supervisor.fish in
  ~/.config/fish/completions"""


class CompletionSettings(BaseSettings):
    """Print a script that lets a shell complete commands, flags and values of `supervisor`."""

    model_config = SettingsConfigDict(**RunSettings.model_config)

    shell: CliPositionalArg[Literal["bash", "zsh", "fish"]] = Field(description="bash, zsh or fish.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the command line: every environment has a variable SHELL."""
        return (init_settings,)


def run(arguments: list[str]) -> int:
    """Print the script. Returns 0."""
    settings = read_settings(CompletionSettings, arguments, PROGRAM, _EPILOG)
    # Not at the top: these import every command.
    from supervisor.commands.completion.flags import all_commands
    from supervisor.commands.completion.scripts import SHELLS

    print(SHELLS[settings.shell](tuple(all_commands())), end="")
    return 0
