"""`--engine-url`: what is refused before anything is looked up, and what is not."""

import pytest

from supervisor.settings.engine_url import checked_engine_url, has_user


@pytest.mark.parametrize(
    "url",
    [
        "http://engine:3030", "https://engine.corp/a/b?c=d", "http://engine.corp.:3030", "http://127.0.0.1", "http://[::1]:1",
        f"http://{'a' * 63}.corp", "http://me:a..b@engine", "http://bücher.example", "http://engine_1",
    ],
)  # fmt: skip
def test_what_may_lead_to_an_engine_is_taken_without_slashes_at_its_end(url: str) -> None:
    assert checked_engine_url(f"{url}//") == checked_engine_url(url) == url


@pytest.mark.parametrize("url", ["", "engine:3030", "ftp://engine", "http://", "http:///a", "http://a\nb"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL such as http://engine:3030"):
        checked_engine_url(url)


@pytest.mark.parametrize("host", ["[", "[::1", "[engine]x", "engine:99999", "engine:http", "engine:-1"])
def test_what_has_no_host_and_port_is_refused_without_the_password(host: str) -> None:
    for url in (f"http://{host}", f"https://me:Trellis-Wagon-1842@{host}/a"):
        with pytest.raises(ValueError, match="must be a URL such as http://engine:3030") as told:
            checked_engine_url(url)
        assert "Trellis" not in str(told.value)


@pytest.mark.parametrize(
    "host",
    ["engine..corp", ".engine", "engine..", ".", "10.0..1", f"{'a' * 64}.corp", f"x.{'a' * 64}", ":3030"],
)
def test_what_is_no_name_of_a_host_is_refused_without_the_password(host: str) -> None:
    for url in (f"http://{host}", f"https://me:Trellis-Wagon-1842@{host}/a"):
        with pytest.raises(ValueError, match="must name a host") as told:
            checked_engine_url(url)
        assert "Trellis" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["https://me@engine", "https://me:secret@engine:1/a", "https://:secret@engine"]
)
def test_a_user_or_a_password_before_the_host_is_seen(url: str) -> None:
    assert has_user(url)


@pytest.mark.parametrize(
    "url", ["", "https://engine", "https://@engine", "https://engine/a@b", "http://[me@x"]
)
def test_an_address_without_either_has_no_user(url: str) -> None:
    assert not has_user(url)
