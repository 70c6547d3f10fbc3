"""Whatever comes back in place of a result, from `run`, `acquire` and `rollback`: each in a real child."""

from pathlib import Path

import pytest

from sdk.testing import BlockOutcome, BlockRunner

SOURCE = Path(__file__).with_name("bad_blocks")

METHODS = {"execute": "run", "acquire": "acquire", "rollback": "rollback"}
RIGHT_RESULTS = {
    "execute": "a FunctionBlockResult",
    "acquire": "a FunctionBlockAcquireResult",
    "rollback": "a FunctionBlockRollbackResult",
}

NO_RESULT = {
    "none": "nothing (None)",
    "dict": "a dict",
    "text": "a str",
    "true": "a bool",
    "class": "the class FunctionBlockResult itself",
    "coroutine": "a coroutine that was not awaited",
    "generator": "a generator",
}


def run(block_runner: BlockRunner, which: str, job_type: str = "execute") -> BlockOutcome:
    return block_runner.run("bad/returned:1.0.0", {"which": which}, source=SOURCE, job_type=job_type)


@pytest.mark.parametrize("job_type", METHODS)
@pytest.mark.parametrize("which", NO_RESULT)
def test_what_is_no_result_is_a_failure_that_says_what_to_return(
    block_runner: BlockRunner, which: str, job_type: str
) -> None:
    outcome = run(block_runner, which, job_type)
    assert (outcome.success, outcome.cause, outcome.retryable) == (False, "block_failed", False)
    assert outcome.message.startswith(
        f"bad/returned:1.0.0 returned {NO_RESULT[which]} from {METHODS[job_type]}(). "
    )
    assert f"Return {RIGHT_RESULTS[job_type]} on every path." in outcome.message
    assert [line.message for line in outcome.logs] == [outcome.message]


@pytest.mark.parametrize("job_type", METHODS)
@pytest.mark.parametrize("other", ["execute", "acquire", "rollback"])
def test_the_result_of_another_method_is_a_failure(
    block_runner: BlockRunner, job_type: str, other: str
) -> None:
    which = {"execute": "surrogate message", "acquire": "acquire result", "rollback": "rollback result"}
    outcome = run(block_runner, which[other], job_type)
    said = f"returned {RIGHT_RESULTS[other]} from {METHODS[job_type]}(). Return {RIGHT_RESULTS[job_type]}"
    assert (said in outcome.message) == (job_type != other)


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("data", "returned bare data (Anything) from run(). Return a FunctionBlockResult"),
        ("other data", "returned data of class OtherData, but is registered with Anything."),
        ("dict as data", "data: must be an instance of the block's result class, not dict"),
        ("no message", "FunctionBlockResult: message: missing"),
        ("message none", "whose message is None. Give it a str."),
        ("success text", "whose success is a str. Give it a bool."),
        ("retryable number", "whose retryable is an int. Give it a bool."),
    ],
)
def test_a_result_with_the_wrong_content_is_a_failure_that_names_the_field(
    block_runner: BlockRunner, which: str, said: str
) -> None:
    outcome = run(block_runner, which)
    assert (outcome.success, outcome.data) == (False, None)
    assert outcome.message.startswith("bad/returned:1.0.0 ")
    assert said in outcome.message


@pytest.mark.parametrize(
    ("which", "said"),
    [("acquires: dict", "acquires[0] is of type None"), ("acquires: None", "acquires[0] is a NoneType")],
)
def test_an_acquire_of_what_can_not_be_acquired_is_a_failure_that_names_the_item(
    block_runner: BlockRunner, which: str, said: str
) -> None:
    outcome = run(block_runner, which, "acquire")
    assert (outcome.success, outcome.retryable, outcome.acquires) == (False, False, None)
    assert outcome.message.startswith(f"bad/returned:1.0.0: {said}")
    assert "Return EntityAcquireByElasticQuery or EntityAcquireContext items." in outcome.message


def test_a_message_that_no_encoding_can_hold_and_one_without_end_arrive_all_the_same(
    block_runner: BlockRunner,
) -> None:
    assert run(block_runner, "surrogate message").message == "half \ufffd pair"
    assert 1000 < len(run(block_runner, "huge message").message) < 100_000
