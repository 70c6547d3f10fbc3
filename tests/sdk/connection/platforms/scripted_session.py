"""A session that answers from a table, and remembers what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from sdk.connection.deadline import Deadline
from sdk.connection.questions import Questions


@dataclass(frozen=True)
class ScriptedReply:
    text: str
    is_cut: bool = False


class ScriptedSession:
    """Answers each line from `answers`; what is not there gets `otherwise`, with the line in place of `{line}`."""

    where = "192.0.2.1 port 22"

    def __init__(
        self, answers: Mapping[str, str | ScriptedReply], otherwise: str = "", prompt: str = "r1#"
    ) -> None:
        self.sent: list[str] = []
        self.prompt = prompt
        self._answers = answers
        self._otherwise = otherwise

    def send(self, command: str, *, deadline: Deadline, questions: Questions | None = None) -> ScriptedReply:
        self.sent.append(command)
        answer = self._answers.get(command, self._otherwise.format(line=command))
        return answer if isinstance(answer, ScriptedReply) else ScriptedReply(answer)


DEADLINE = Deadline(60)
IOS_REFUSAL = "         ^\n% Invalid input detected at '^' marker.\n"
FRR_REFUSAL = "% Unknown command: {line}"
BASH_REFUSAL = "-bash: {line}: command not found"
