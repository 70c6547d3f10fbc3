"""The command line of a Linux shell, for a login to a router that leads to a shell: nearly nothing works."""

import shlex
from dataclasses import dataclass

from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.ios_state import SessionState


@dataclass(slots=True)
class BashState(SessionState):
    """A session in the shell."""

    def prompt(self) -> str:
        """Return what the shell prints before it reads the next line."""
        return f"{self.user}@{self.device.hostname}:~$ "


class BashCli(IosCli):
    """Knows `echo`, `exit`, `hostname`, `uname` and `whoami`. For all else it says that there is no such command."""

    def execute(self, line: str) -> str:
        """Run one line; return the output, without its last line end."""
        try:
            words = shlex.split(line)
        except ValueError:
            return "-bash: unexpected EOF while looking for matching quote"
        if not words:
            return ""
        match words[0]:
            case "echo":
                return " ".join(words[1:]).replace("$0", "-bash").replace("$?", "0")
            case "exit" | "logout":
                self.state.closed = True
                return "logout"
            case "hostname":
                return self.state.device.hostname
            case "uname":
                return "Linux"
            case "whoami":
                return self.state.user
        return f"-bash: {words[0]}: command not found"
