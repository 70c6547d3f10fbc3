"""Masking by value: what is masked of a secret, and what must be left as it is."""

import base64
import itertools
import json
import pprint
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jobrunner.protocol.caps import SECRETS_CAP
from jobrunner.protocol.masking import MASK, Mask, SecretNames, secrets_in
from supervisor.job.mask import mask_of
from tests.programs.redaction.cases import FILLERS, secrets

SECRET = "Hunter-2-xyz"
UMLAUTS = "Zürich-über-1"
ORDINARY = (
    "Interface GigabitEthernet0/1 is up, line protocol is up; 1234567 packets input, 98.5 % load",
    "the cisco device asks for a password; enter it, or press 'return' to give up",
    "password must have at least 8 characters",
    "The token is refreshed every 5 minutes. secret: the plan",
    'File "/srv/blocks/login.py", line 12, in run\n    connect(password=params.password, token=get_token())',
    "max_tokens=4096 password=None secret=False community=***",
    '{"status": "ok", "count": 12, "path": "C:\\\\temp"} 100%25 &amp; more...',
)


def mask_for(*documents: object) -> Mask:
    return mask_of(list(documents), {}, SecretNames())


@pytest.mark.parametrize(
    "document",
    [
        {"password": "hunter2-x"},
        {"enable_password": "hunter2-x"},
        {"snmpCommunity": "hunter2-x"},
        {"apiKey": "hunter2-x"},
        {"API-KEY": "hunter2-x"},
        {"private key": "hunter2-x"},
        {"auth": {"token": {"value": ["hunter2-x"]}}},
        {"devices": [{"name": "r1"}, {"credentials": {"passphrase": "hunter2-x"}}]},
        {"url": "https://user:hunter2-x@host/path"},
        {"Authorization": "Bearer hunter2-x"},
        {"authorization": "Basic " + base64.b64encode(b"me:hunter2-x").decode()},
    ],
)
def test_the_value_under_a_key_that_names_a_secret_is_masked(document: object) -> None:
    assert mask_for(document)("<hunter2-x>") == f"<{MASK}>"


def test_the_keys_of_the_operator_count_as_well() -> None:
    document = {"loginPin": "hunter2-x"}
    assert mask_of(document, {}, SecretNames())("hunter2-x") == "hunter2-x"
    assert mask_of(document, {}, SecretNames(["login_pin"]))("hunter2-x") == MASK


def test_a_number_of_eight_digits_is_masked_and_a_shorter_one_is_not() -> None:
    mask = mask_for({"secret": 12345678, "password": "7654321"})
    assert mask("12345678 7654321") == f"{MASK} 7654321"


def test_the_secrets_of_all_documents_are_masked() -> None:
    mask = mask_for({"password": "first-one"}, {"secret": "second-one"})
    assert mask("first-one second-one third-one") == f"{MASK} {MASK} third-one"


def test_of_two_secrets_that_overlap_in_a_text_nothing_is_left() -> None:
    mask = mask_for({"password": ["swordfish", "swordfish-and-more", "fish-and-chips"]})
    assert mask("swordfish-and-more, swordfish, swordfish-and-chips") == f"{MASK}, {MASK}, {MASK}"


def test_truth_and_nothing_are_no_secrets_and_numbers_are() -> None:
    found = list(secrets_in({"password": [True, False, None, 5, 1.5, {"any": "x"}], "port": 22}))
    assert sorted(found) == ["1.5", "5", "x"]


def test_what_a_header_encodes_is_secret_whole_and_without_the_user() -> None:
    encoded = base64.b64encode(b"admin:hunter2-x").decode()
    found = set(secrets_in({"authorization": f"Basic {encoded}"}))
    assert found == {f"Basic {encoded}", encoded, "admin:hunter2-x", "hunter2-x"}
    mask = mask_for({"authorization": f"Basic {encoded}"})
    assert mask("admin:hunter2-x and hunter2-x") == f"{MASK} and {MASK}"


@pytest.mark.parametrize("options", [{"password": "Hop-Secret-1"}, [{"jump": {"password": "Hop-Secret-1"}}]])
def test_secrets_in_connection_options_are_found_where_these_are_a_text(options: object) -> None:
    assert list(secrets_in({"connectionOptions": json.dumps(options)})) == ["Hop-Secret-1"]


@pytest.mark.parametrize("credentials", ["!!!!", "/w==", "abc"])
def test_a_header_that_encodes_no_text_is_secret_as_it_is(credentials: str) -> None:
    assert set(secrets_in({"authorization": f"Basic {credentials}"})) == {f"Basic {credentials}", credentials}


def test_a_secret_with_signs_of_a_pattern_is_taken_literally() -> None:
    assert mask_for({"password": "a.*b+(c"})("a.*b+(c axxb") == f"{MASK} axxb"


def test_each_line_of_a_key_is_masked_by_itself() -> None:
    lines = ["-----BEGIN KEY-----", "MIIEowIBAAKCAQEA", "xYzw0123456789ab", "-----END KEY-----"]
    mask = mask_for({"private_key": "\n".join(lines)})
    assert [mask(f"> {line}") for line in lines[1:3]] == [f"> {MASK}"] * 2
    assert mask("-----BEGIN KEY----- is the first line of a key").startswith("-----BEGIN KEY-----")


def test_of_a_secret_of_two_lines_each_is_masked_by_itself() -> None:
    mask = mask_for({"secret": "the-first-one\nthe-other-one"})
    assert mask("> the-first-one <") == mask("> the-other-one <") == f"> {MASK} <"


def test_a_line_of_a_key_that_is_as_short_as_a_word_is_left_alone() -> None:
    mask = mask_for({"private_key": "MIIEowIBAAKCAQEA\nup\n  down \n**********\nxYzw0123456789ab"})
    assert mask("up and down ********** xYzw0123456789ab") == f"up and down ********** {MASK}"


@pytest.mark.parametrize("value", ["", "cisco", "1234567", "***", "******", None, True])
def test_words_too_short_to_be_told_from_others_are_left_alone(value: object) -> None:
    text = f"the {value} of 1234567 cisco True None ***"
    assert mask_for({"password": value})(text) == text


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_line_stays_as_it_is(text: str) -> None:
    documents = {"password": "cisco", "secret": "1234567", "token": "swordfish-7", "community": "up"}
    assert mask_for(documents)(text) == text


@given(secrets, some.lists(some.sampled_from([*FILLERS, *ORDINARY]), max_size=3))
def test_a_text_without_a_secret_stays_as_it_is(secret: str, texts: list[str]) -> None:
    text = " ".join(texts)
    mask = Mask([secret])
    if not any(piece in text for piece in (secret[:6], secret[-6:], *secret.split())):
        assert mask(text) == text


def test_what_only_looks_like_half_an_escape_does_not_hide_the_piece_before_a_gap() -> None:
    secret = "00000&000\U0002ebe1\U0002ebe1"
    assert "00&000" not in Mask({secret})("'00000&000\\U0...be1\\U0002ebe1'")


@pytest.mark.parametrize("dots", ["", ".", "..", "..."])
def test_a_cut_through_the_dots_of_an_abbreviated_secret_leaves_no_piece(dots: str) -> None:
    secret = "correct-horse-battery-staple"
    assert secret[:12] not in Mask({secret})(f"value={secret[:12]}{dots}", cut_after=True)


def test_the_piece_of_a_secret_at_a_place_where_a_text_was_cut_is_masked_too() -> None:
    mask = Mask(["swordfish-7"])
    assert mask("it is swordf", cut_after=True) == f"it is {MASK}"
    assert mask("dfish-7 it is", cut_before=True) == f"{MASK} it is"
    assert mask("it is swordf") == "it is swordf"
    assert Mask(["p/ss-wörd"])("it is p%2Fss-w%C3", cut_after=True) == f"it is {MASK}"


def test_what_an_error_shows_of_both_ends_of_a_long_secret_is_masked() -> None:
    secret = "abcdefghij" * 8
    assert Mask([secret])(f"input_value='{secret[:25]}...{secret[-24:]}'") == f"input_value='{MASK}...{MASK}'"


@given(some.integers(0, 2), some.text("abcdefgh", max_size=9))
def test_of_base64_nothing_is_left_whatever_stands_beside(shift: int, after: str) -> None:
    secret = "swordfish-7"
    text = base64.b64encode(b"x" * shift + secret.encode() + after.encode()).decode()
    assert Mask([secret])(f"auth={text} {text[:2]}") == f"auth={MASK} {text[:2]}"


def test_of_the_base64_of_a_learned_secret_nothing_is_left_either() -> None:
    """The characters beside it hold some of its bits."""
    mask, secret = Mask(), "swordfish-7"
    assert mask("an ordinary line") == "an ordinary line"
    mask.learn(secret)
    for before, after in itertools.product(("", "x", "xy"), ("", "a", "ab")):
        text = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
        assert mask(f"auth={text} x") == f"auth={MASK} x"


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_base64_at_the_beginning_of_a_text_is_masked_whole_with_its_padding_alone(before: str) -> None:
    text = base64.b64encode(f"{before}swordfish-7".encode()).decode().rstrip("=")
    mask = Mask(["swordfish-7"])
    assert [mask(f"{text}{'=' * count} x") for count in range(4)] == [f"{MASK} x"] * 3 + [f"{MASK}= x"]


def test_the_password_in_a_url_is_masked_as_it_is_written_there_and_as_it_is() -> None:
    mask = mask_for({"url": "https://user:p%40ss-w%C3%B6rd@host/path"})
    assert mask("p@ss-wörd or p%40ss-w%C3%B6rd or p%40ss-w%c3%b6rd") == f"{MASK} or {MASK} or {MASK}"
    assert set(secrets_in({"url": "https://user:p%40ss-w%C3%B6rd@host"})) == {"p@ss-wörd", "p%40ss-w%C3%B6rd"}


def test_a_password_in_a_url_that_has_at_signs_is_known_to_the_last_and_to_the_first_of_them() -> None:
    found = set(secrets_in({"url": "https://user@corp:S3cr@t-pw-77@host/path@x"}))
    assert found == {"S3cr@t-pw-77", "S3cr"}


@pytest.mark.parametrize(
    "written",
    [
        *("sw%C3%B6rdfish", "sw\\u00f6rdfish", "sw\\xf6rdfish", "sw&#246;rdfish"),
        *("sw\\U0001f600fish", "sw\\ud83d\\ude00fish", "sw%F0%9F%98%80fish", "sw&#128512;fish"),
    ],
)
def test_a_cut_before_a_text_may_go_through_an_escape_of_a_secret(written: str) -> None:
    mask = Mask(["swördfish", "sw😀fish"])
    for begin in range(len(written) - 3 + 1):
        assert mask(f"{written[begin:]} it is", cut_before=True) == f"{MASK} it is"


@pytest.mark.parametrize("chars", [1, 2, 3, 4])
def test_a_piece_at_a_cut_is_masked_from_three_characters_on(chars: int) -> None:
    mask = Mask(["qwxyz-and-more-rstuv"])
    shown = MASK if chars >= 3 else None
    assert mask("it is " + "qwxyz"[:chars], cut_after=True) == f"it is {shown or 'qwxyz'[:chars]}"
    assert mask("rstuv"[-chars:] + " it is", cut_before=True) == f"{shown or 'rstuv'[-chars:]} it is"


@pytest.mark.parametrize("chars", [32, 100])
def test_the_middle_of_a_long_secret_alone_is_masked_where_a_text_was_cut_at_both_ends(chars: int) -> None:
    secret = ("qwertyuiop-zxcvbnm_" * 9)[:chars]
    assert Mask([secret])(secret[4:-4], cut_before=True, cut_after=True) == MASK


def test_a_quotation_mark_as_shells_write_it_hides_no_secret() -> None:
    assert Mask(["Zx9'qwert"])(r"ls: cannot access 'Zx9'\''qwert': No such file") == (
        f"ls: cannot access '{MASK}': No such file"
    )


def test_the_keys_of_a_declared_object_are_secret_too() -> None:
    document = {"logins": {"hunter2-x": {"swordfish-7": 1}}, "token": {"username": "third-one"}}
    mask = mask_of(document, {}, SecretNames(), (("logins",),))
    assert mask("hunter2-x swordfish-7 third-one username") == f"{MASK} {MASK} {MASK} username"


def test_json_in_which_secrets_were_masked_can_still_be_read() -> None:
    secret = "a'b\"c\nd\\e"
    assert json.loads(Mask([secret])(json.dumps({"x": secret, "y": json.dumps([secret])}))) == {
        "x": MASK,
        "y": f'["{MASK}"]',
    }


def test_a_secret_that_is_learned_is_masked_from_then_on_beside_those_known_before() -> None:
    mask = Mask(["swordfish-7"])
    assert mask("swordfish-7 hunter2-x") == f"{MASK} hunter2-x"
    mask.learn("hunter2-x")
    mask.learn("ab")
    assert mask("swordfish-7 hunter2-x password ab") == f"{MASK} {MASK} password {MASK}"
    assert mask("it is hunter2", cut_after=True) == f"it is {MASK}"


def test_what_a_child_tells_without_end_is_learned_up_to_a_cap() -> None:
    mask = Mask(["swordfish-7"])
    for number in range(2 * SECRETS_CAP):
        mask.learn(f"{number:04}-told-by-a-child")
    assert mask(f"swordfish-7 {SECRETS_CAP - 1:04}-told-by-a-child") == f"{MASK} {MASK}"
    assert mask(f"{SECRETS_CAP:04}-told-by-a-child") != MASK


def test_of_learned_secrets_that_begin_alike_each_place_of_a_text_is_compared_with_a_few_only() -> None:
    mask = Mask()
    for number in range(SECRETS_CAP):
        mask.learn("a" * (6 + number) + "b")
    (lengths,) = {len(lengths) for head, lengths in mask._needles._lengths.items() if head == "aaaaaa"}
    assert lengths <= 16


@pytest.mark.parametrize(
    "written",
    [
        SECRET.encode().hex(":"),
        SECRET.encode().hex(" ").upper(),
        SECRET.encode().hex(":").upper(),
        SECRET.upper(),
        SECRET.lower(),
        repr(SECRET.encode("utf-16-le")),
        repr(SECRET.encode("utf-16")),
    ],
)
def test_a_secret_in_the_ways_that_tools_show_bytes_and_words_is_masked(written: str) -> None:
    shown = Mask([SECRET])(f"got {written}.")
    assert shown.startswith("got ")
    assert MASK in shown
    assert SECRET.lower() not in shown.lower()
    assert len(shown.replace("\\x00", "").replace("\\xff\\xfe", "")) <= len("got b'***'.")


@pytest.mark.parametrize(
    "written",
    [
        unicodedata.normalize("NFD", UMLAUTS),
        unicodedata.normalize("NFC", UMLAUTS),
        UMLAUTS.encode().decode("ascii", "surrogateescape"),
        UMLAUTS.encode("latin-1").decode("utf-8", "surrogateescape"),
        repr(UMLAUTS.encode("utf-16-be")),
        UMLAUTS.upper(),
        unicodedata.normalize("NFD", UMLAUTS).upper(),
        UMLAUTS.encode("ascii", "replace").decode(),
        UMLAUTS.encode("ascii", "ignore").decode(),
        unicodedata.normalize("NFKD", UMLAUTS).encode("ascii", "ignore").decode(),
    ],
)
def test_a_secret_with_umlauts_is_masked_however_its_letters_are_made(written: str) -> None:
    shown = Mask([UMLAUTS])(f"got {written}.")
    assert MASK in shown
    assert "rich" not in shown.lower()


def test_a_passphrase_that_pprint_has_broken_is_masked_as_a_whole() -> None:
    secret = "correct horse battery staple and don't forget it " * 3
    shown = Mask([secret])(pprint.pformat({"note": secret}, width=40))
    assert MASK in shown
    assert not any(word in shown for word in secret.split())


def test_a_plain_word_is_not_masked_in_other_letters() -> None:
    assert Mask(["Switch"])("the switch and the Switch") == f"the switch and the {MASK}"
