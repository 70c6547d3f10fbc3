"""The findings from the import of the blocks. Pure."""

import re
from typing import Final

from jobrunner.protocol.catalogue import Catalogue, ImportProblem, ProblemKind
from supervisor.commands.check.finding import Finding, Level

_ADVICE: Final[dict[ProblemKind, tuple[str, str]]] = {
    "error": ("import", "The worker leaves this module out until it can be imported."),
    "exit": (
        "import-exit",
        "Raise an exception instead, and only in run(). Put code of a program under `if __name__`.",
    ),
    "hang": ("import-hang", "Move what takes long into run(); an import should only define."),
    "crash": ("import-crash", "Import what crashes in run(): there it harms only one job."),
    "thread": ("import-thread", "Without the thread jobs start in a millisecond, with it in half a second."),
    "conflict": ("duplicate-id", "Give each block a name or a version of its own."),
    "source": ("not-found", "Name a directory, a .py file, or a module that can be imported."),
}
_BY_MESSAGE: Final = (
    (re.compile(r"has no rollback"), "missing-rollback"),
    (re.compile(r"run\(.*can't be called"), "run-arity"),
    (re.compile(r"markdown_helptext has \d+ characters"), "help-length"),
    (re.compile(r"is not valid in a block id"), "block-id"),
    (re.compile(r"No JSON schema can be made"), "schema"),
    (re.compile(r"^RegistrationError\b"), "registration"),
)


def findings_of_imports(catalogue: Catalogue) -> list[Finding]:
    """Return a finding for each module that could not be imported, or whose import has an unwanted effect."""
    return [_finding(problem) for problem in catalogue.problems]


def _finding(problem: ImportProblem) -> Finding:
    code, advice = _ADVICE[problem.kind]
    if problem.kind == "error":
        own = next((code for pattern, code in _BY_MESSAGE if pattern.search(problem.message)), None)
        if own is not None:
            # These messages say themselves what to do.
            code, advice = own, ""
    # One finding is one line, and the advice is its next sentence.
    message = " ".join(problem.message.split())
    if advice and not message.endswith((".", "!", "?")):
        message += "."
    level = Level.WARNING if problem.kind == "thread" else Level.ERROR
    return Finding(problem.file or problem.module, problem.line or 0, level, code, message, advice)
