"""Whatever a block does instead of returning: a failed result that names the author's line, each in a real child."""

from pathlib import Path

import pytest

from sdk.testing import BlockOutcome, BlockRunner

SOURCE = Path(__file__).with_name("bad_blocks")
PLUMBING = ("/sdk/", "/jobrunner/", "/asyncio/runners.py", "/asyncio/base_events.py")

RAISED: dict[str, str] = {
    "base exception": "OwnBaseException: own",
    "keyboard interrupt": "KeyboardInterrupt",
    "generator exit": "GeneratorExit",
    "cancelled error": "CancelledError",
    "stop iteration": "RuntimeError: coroutine raised StopIteration",
    "sys.exit(0)": "SystemExit: 0",
    "sys.exit(text)": "SystemExit: no route",
    "quit()": "SystemExit: None",
    "str raises": "SilentError: (its text can't be read)",
    "str exits": "ExitingError: (its text can't be read)",
    "str is none": "NoTextError: (its text can't be read)",
    "huge text": "ValueError: xxxxxxxx",
    "huge notes": "ValueError: noted",
    "group": "ExceptionGroup: two devices (2 sub-exceptions)",
    "chained": "RuntimeError: could not read the configuration",
    "library": "JSONDecodeError: Expecting property name",
    "surrogate": "ValueError: half \ufffd pair",
    "recursion": "RecursionError: maximum recursion depth exceeded",
}


def run(block_runner: BlockRunner, block: str, which: str) -> BlockOutcome:
    return block_runner.run(f"bad/{block}:1.0.0", {"which": which}, source=SOURCE)


@pytest.mark.parametrize("block", ["end", "end_in_thread"])
@pytest.mark.parametrize("which", RAISED)
def test_whatever_is_raised_is_a_failure_with_its_type_text_and_the_author_s_line(
    block_runner: BlockRunner, which: str, block: str
) -> None:
    outcome = run(block_runner, block, which)
    assert (outcome.success, outcome.cause, outcome.exit_code) == (False, "block_raised", 0)
    assert outcome.message.startswith(f"bad/{block}:1.0.0 raised {RAISED[which]}")
    assert f"({SOURCE / 'ends.py'}:" in outcome.message
    assert outcome.message.endswith("The traceback is in the job's log.")
    assert len(outcome.message) < 3000
    *_, traceback = outcome.logs
    assert traceback.level == 40
    assert "Traceback (most recent call last)" in traceback.message
    assert not [own for own in PLUMBING if own in traceback.message]
    assert len(traceback.message) < 10_000


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("sys.exit(0)", "A block ends by returning its result: success=False in place of sys.exit()"),
        ("quit()", "A block ends by returning its result: success=False in place of sys.exit()"),
        ("cancelled error", "The worker had not cancelled it"),
        ("group", "; holds ValueError: first; holds OSError: second."),
        ("chained", f"; caused by OSError: the device hung up ({SOURCE / 'ends.py'}:"),
        ("library", " in in_a_library)"),
    ],
)
def test_the_message_says_what_else_helps(block_runner: BlockRunner, which: str, said: str) -> None:
    assert said in run(block_runner, "end", which).message


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("group", ["--- 2 of 2 in this group ---\nOSError: second"]),
        ("chained", ["OSError: the device hung up", "direct cause", "RuntimeError: could not"]),
        ("library", ['json.loads("{")', "in raw_decode"]),
        ("huge notes", ["while on port 7", "yyyy …"]),
        ("stop iteration", ["StopIteration: 5", "direct cause", "RuntimeError: coroutine raised"]),
    ],
)
def test_the_log_has_the_members_of_groups_the_causes_and_the_notes(
    block_runner: BlockRunner, which: str, said: list[str]
) -> None:
    (line,) = run(block_runner, "end", which).logs
    assert [text for text in said if text not in line.message] == []


def test_an_exit_past_all_clean_up_is_no_success(block_runner: BlockRunner) -> None:
    outcome = run(block_runner, "end", "os._exit(0)")
    assert (outcome.success, outcome.cause, outcome.exit_code) == (False, "exited", 0)
    assert "before the block returned a result. Look for os._exit()" in outcome.message


@pytest.mark.parametrize("which", ["sys.exit(0)", "keyboard interrupt"])
def test_an_exit_in_a_task_that_the_block_started_is_told_as_what_it_is(
    block_runner: BlockRunner, which: str
) -> None:
    outcome = run(block_runner, "end_of_task", which)
    assert (outcome.success, outcome.cause) == (False, "block_raised")
    assert outcome.message.startswith(
        "bad/end_of_task:1.0.0 (a task or callback of its own, which ended its event loop) "
        f"raised {RAISED[which]} ({SOURCE / 'ends.py'}:"
    )
    assert "in other" in outcome.logs[-1].message
    assert not [own for own in PLUMBING if own in outcome.logs[-1].message]


def test_a_block_that_cancels_itself_is_told_with_the_line_it_stood_on(block_runner: BlockRunner) -> None:
    outcome = run(block_runner, "cancel_itself", "wait")
    assert outcome.cause == "block_raised"
    assert f"raised CancelledError ({SOURCE / 'ends.py'}:" in outcome.message


def test_a_block_that_cancels_itself_and_returns_has_lost_its_result(block_runner: BlockRunner) -> None:
    outcome = run(block_runner, "cancel_itself", "return")
    assert (outcome.success, outcome.cause) == (False, "block_raised")
    assert "bad/cancel_itself:1.0.0 cancelled the task that runs it" in outcome.message
