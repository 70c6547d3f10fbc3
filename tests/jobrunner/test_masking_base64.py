"""A secret within a text in base64: found wherever in it the secret begins."""

import base64

import pytest

from jobrunner.protocol.masking.forms import base64_forms


@pytest.mark.parametrize("secret", ["Tr3lls", "7391x4", "Wagon-1842"])
@pytest.mark.parametrize("before", [b"", b"a", b"ab"])
def test_the_shortest_secret_has_a_form_for_each_place_in_a_text(secret: str, before: bytes) -> None:
    text = base64.b64encode(before + secret.encode() + b"zz").decode()
    assert [form for form in base64_forms(secret) if form in text]
