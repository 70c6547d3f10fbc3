"""What of an order is searched for secrets: as little as can be, and every secret of it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from jobrunner.protocol.masking import SecretNames
from jobrunner.protocol.masking.collector import Within, secrets_within
from supervisor.job.harmless import Harmless

_NAMES = SecretNames()
_WITHIN = Within.document()
_LEAVES = some.sampled_from([None, "", "plain", 5, "https://me:hidden@host", "Basic bWU6aGlkZGVu"])
_KEYS = some.sampled_from(["hostname", "password", "token", "connectionOptions", "facts"])
_TEXTS = some.just('{"jump_host": {"password": "hidden"}}')
_JSON = some.recursive(
    _LEAVES | _TEXTS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def _secrets(members: Any) -> set[str]:
    return set(secrets_within(members, _WITHIN, _NAMES))


@given(some.lists(some.lists(_JSON, max_size=3) | some.dictionaries(_KEYS, _JSON, max_size=4), max_size=3))
def test_what_is_left_out_holds_no_secret(documents: list[Any]) -> None:
    harmless = Harmless(_NAMES)
    for members in documents:
        assert _secrets(harmless.suspects(members, has_addresses=True)) == _secrets(members)


def test_of_a_device_its_secrets_alone_are_searched() -> None:
    device = {"id": 1, "password": "hidden", "facts": {"a": [1]}, "platform": {"token": "x"}, "checks": None}
    found = {"password": "hidden", "platform": {"token": "x"}}
    harmless = Harmless(_NAMES)
    for _ in range(2):
        assert harmless.suspects([device, {"id": 2}], has_addresses=False) == [found]
        assert harmless.suspects(device, has_addresses=False) == found
