"""Parameters whose names sound like secrets, but which are not marked as secret. Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from supervisor.commands.check.finding import Finding, Level
from supervisor.commands.check.source import Module, fields_of

_SECRET: Final = re.compile(
    r"(^|_)(password|passwd|passphrase|passcode|pwd|secret|token|api_?key|private_?key|credentials?|psk|"
    r"community|pin)($|_)",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(r"\b(SENSITIVE|Sensitive|SecretStr|SecretBytes|Secret)\b")
_NO_TEXT: Final = re.compile(r"(bool|int|float)( \| None)?")


def check_secrets(module: Module) -> Iterator[Finding]:
    """A parameter that sounds like a password must be marked `SENSITIVE`. Then its value is masked everywhere."""
    for model in module.parameters:
        for name, node in fields_of(model):
            annotation = ast.unparse(node.annotation)
            if not _SECRET.search(name) or _MARKS.search(annotation) or _NO_TEXT.fullmatch(annotation):
                continue
            yield Finding(
                module.file,
                node.lineno,
                Level.WARNING,
                "unmarked-secret",
                f"{model.name}.{name} sounds like a secret and is not marked as one.",
                f"Write {name}: Annotated[{annotation}, SENSITIVE] (from sdk), so that logs and messages mask it.",
            )
