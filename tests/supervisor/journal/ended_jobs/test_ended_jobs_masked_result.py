"""Result data are kept only with every secret of the job masked, wherever it stands in them."""

import json

import pytest

from jobrunner.protocol.masking import MASK, MOST_UNITS, Effort, Mask, TooMuchWorkError
from supervisor.journal.ended_jobs.budget import RESULT_BYTES
from supervisor.journal.ended_jobs.masked_result import NotMaskedError, masked_result

pytestmark = pytest.mark.pure

SECRET = "s3cret-of-r1"


def masked(data: object, *, units: int = MOST_UNITS) -> object:
    text = masked_result(json.dumps(data).encode(), Mask([SECRET, "12345678"]), Effort(units))
    return json.loads(text)


def test_what_holds_no_secret_is_kept_as_it_is() -> None:
    data = {"data": {"up": True, "name": "größe", "count": 5, "load": 0.5, "none": None, "list": [1, [], {}]}}
    assert masked(data) == data


@pytest.mark.parametrize(
    "data",
    [
        {"config": f"password {SECRET}"},
        {"deep": [{"er": [SECRET]}]},
        {SECRET: 1},
        {"json": json.dumps({"x": SECRET})},
        {"number": 12345678},
    ],
)
def test_a_secret_of_the_job_is_nowhere_in_it(data: object) -> None:
    text = json.dumps(masked(data))
    assert SECRET not in text
    assert "12345678" not in text
    assert MASK in text


def test_what_has_the_name_of_a_secret_is_masked_whole() -> None:
    data = {"password": "hunter2hunter2", "api_keys": ["one", {"two": 3}], "token": 5, "user": "admin"}
    assert masked(data) == {"password": MASK, "api_keys": MASK, "token": MASK, "user": "admin"}


def test_what_is_too_large_too_deep_or_too_much_work_is_refused_with_the_reason() -> None:
    with pytest.raises(NotMaskedError, match=str(RESULT_BYTES)):
        masked({"text": "x" * RESULT_BYTES})
    with pytest.raises(NotMaskedError, match="deep"):
        masked_result(b"[" * 100_000 + b"]" * 100_000, Mask(), Effort())
    with pytest.raises(TooMuchWorkError):
        masked({"list": ["some text"] * 1000}, units=2000)
