"""The page of the engine's answers to a result, from the table that the worker decides by."""

from supervisor.worker.result_answers import TABLE

ANSWERS_FILE = "result-answers.md"

_HEAD = """\
# Answers to a result

<!-- Written by `make docs` from `supervisor/worker/result_answers.py`; changes here are lost. -->

What the worker does with a result depends on the engine's answer. The engine's own words are a JSON object with a
`message` or an `error`. What happens to a refused result:
[dead letters](../how-to/journal-and-dead-letters.md#dead-letters).

| answer | the result is | because |
|---|---|---|
"""


def render_answers() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(f"| {row.answer} | {row.meaning.value} | {row.reason} |\n" for row in TABLE)
