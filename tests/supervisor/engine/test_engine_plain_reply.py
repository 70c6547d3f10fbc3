"""An answer in HTTP/1.1: however it is cut up on its way, it is understood as what it is, or it is none."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.engine.plain_reply import PlainReply
from supervisor.engine.plain_transport import PlainAddress, plain_address
from supervisor.engine.transport import BODY_CAP_BYTES, NoReplyError, Reply

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(*pieces: bytes, cap_bytes: int | None = None, ends: bool = False) -> PlainReply:
    """Read an answer that comes in these pieces, and the end of the connection where it `ends`."""
    reply = PlainReply(cap_bytes)
    for piece in pieces:
        reply.feed(piece)
    if ends and reply.reply is None:
        reply.end()
    return reply


def body_of(*pieces: bytes, ends: bool = False) -> bytes:
    reply = read(*pieces, ends=ends).reply
    assert reply is not None
    return reply.body


@pytest.mark.parametrize(
    ("text", "expected", "keeps"),
    [
        (SIZED, Reply(200, b"hello", True), True),
        (OK + b"content-length:  0 \r\n\r\n", Reply(200, b"", True), True),
        (SIZED.replace(b"\r\n", b"\n"), Reply(200, b"hello", True), True),
        (SIZED.replace(b"\r\n\r", b"\r\nConnection: x, Close\r\n\r"), Reply(200, b"hello", True), False),
        (SIZED.replace(b"1.1", b"1.0"), Reply(200, b"hello", True), False),
        (
            SIZED.replace(b"1.1", b"1.0").replace(b"\r\n\r", b"\r\nConnection: keep-alive\r\n\r"),
            Reply(200, b"hello", True),
            True,
        ),
        (SIZED + b"HTTP/1.1 201 Created\r\n", Reply(200, b"hello", True), False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Reply(204, b"", True), True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Reply(304, b"", True), True),
        (b"HTTP/1.1 101 Switching\r\n\r\n", Reply(101, b"", True), False),
        (b"HTTP/1.1 409\r\nContent-Length: 0\r\n\r\n", Reply(409, b"", True), True),
        (b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" + SIZED, Reply(200, b"hello", True), True),
        (CHUNKS + b"5\r\nhello\r\n0\r\n\r\n", Reply(200, b"hello", True), True),
        (CHUNKS + b"2;a=b\r\nhe\r\n003\r\nllo\r\n0\r\nX: y\r\nZ:\r\n\r\n", Reply(200, b"hello", True), True),
        (CHUNKS + b"0\r\n\r\nHTTP", Reply(200, b"", True), False),
        (OK + b"\r\nhel\r\n\r\nlo", Reply(200, b"hel\r\n\r\nlo", True), False),
        (
            b"HTTP/1.1 503 \xff\r\nRetry-After: 7 \r\nDate: now\r\nX: retry-after: 1\r\n\r\n",
            Reply(503, b"", True, "7", "now"),
            False,
        ),
    ],
)  # fmt: skip
def test_an_answer_is_read_alike_in_one_piece_and_byte_by_byte(
    text: bytes, expected: Reply, keeps: bool
) -> None:
    whole, piecewise = read(text, ends=True), read(*(bytes([byte]) for byte in text), ends=True)
    assert whole.reply == piecewise.reply == expected
    assert whole.keeps_connection == piecewise.keeps_connection == keeps


@given(
    body=st.binary(max_size=60),
    cuts=st.lists(st.integers(0, 200)),
    sizes=st.lists(st.integers(1, 9), max_size=9),
)
def test_a_body_in_chunks_is_the_same_wherever_it_is_cut(
    body: bytes, cuts: list[int], sizes: list[int]
) -> None:
    text, rest = CHUNKS, body
    for size in sizes:
        piece, rest = rest[:size], rest[size:]
        text += b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    text += (b"%X\r\n%b\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n"
    at = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert body_of(*(text[begin:end] for begin, end in itertools.pairwise(at))) == body


@pytest.mark.parametrize(
    "text",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\n\r\n",
        OK + b"no field\r\n\r\n",
        OK + b"Content-Length : 5\r\n\r\nhello",
        OK + b"X: y\r\n folded\r\n\r\n",
        OK + b"X: \0\r\n\r\n",
        OK + b"X: \rY: z\r\n\r\n",
        OK + b"X: " + b"y" * 70_000,
        OK + b"X: y\r\n" * 20_000 + b"\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 5, 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: 1e3\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKS + b"zz\r\n",
        CHUNKS + b"-1\r\n",
        CHUNKS + b"\r\n",
        CHUNKS + b"5\r\nhelloworld",
        CHUNKS + b"5;" + b"x" * 9000,
        CHUNKS + b"1" * 40 + b"\r\n",
        CHUNKS + b"0\r\nno field\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
    ],
)
def test_what_can_t_be_read_for_certain_is_no_answer(text: bytes) -> None:
    with pytest.raises(NoReplyError):
        read(text)
    with pytest.raises(NoReplyError):
        read(*(text[at : at + 7] for at in range(0, len(text), 7)))


@pytest.mark.parametrize("cut", range(len(SIZED)))
def test_an_answer_that_breaks_off_is_none(cut: int) -> None:
    with pytest.raises(NoReplyError, match="closed the connection"):
        read(SIZED[:cut], ends=True)


@pytest.mark.parametrize(
    "text", [CHUNKS, CHUNKS + b"5\r\nhel", CHUNKS + b"5\r\nhello\r\n", CHUNKS + b"0\r\n"]
)
def test_neither_are_chunks_without_their_end(text: bytes) -> None:
    with pytest.raises(NoReplyError, match="before the end"):
        read(text, ends=True)


@pytest.mark.parametrize("head", [OK + b"Content-Length: 90000\r\n\r\n", OK + b"\r\n", CHUNKS + b"15f90\r\n"])
def test_of_an_answer_that_may_be_cut_the_beginning_is_kept_and_the_connection_is_not(head: bytes) -> None:
    reply = read(head, b"x" * 50, b"y" * 60, cap_bytes=100)
    assert reply.reply == Reply(200, b"x" * 50 + b"y" * 50, complete=False)
    assert not reply.keeps_connection


def test_one_that_may_not_be_cut_is_no_answer() -> None:
    piece = b"x" * 2**20
    with pytest.raises(NoReplyError, match="more than"):
        read(OK + b"\r\n", *[piece] * (BODY_CAP_BYTES // len(piece) + 1))


@pytest.mark.parametrize(
    ("url", "address", "host"),
    [
        ("http://engine:3030", PlainAddress("engine", 3030), "engine:3030"),
        ("http://engine.example/", PlainAddress("engine.example", 80), "engine.example"),
        ("http://127.0.0.1:8080/a/b//", PlainAddress("127.0.0.1", 8080, "/a/b"), "127.0.0.1:8080"),
        ("http://[::1]:1", PlainAddress("::1", 1), "[::1]:1"),
    ],
)
def test_an_address_is_read(url: str, address: PlainAddress, host: str) -> None:
    assert plain_address(url) == address
    assert address.host_field == host


@pytest.mark.parametrize(
    "url",
    [
        "https://engine", "http://me:secret@engine", "http://engine:99999", "http://engine/a?b=c", "http://engine/%41",
        "http://bücher.example", "http://[fe80::1%25eth0]", "http://engine/a b", "http://", "http://-",
        "http://a\r\nX: y",
    ],
)  # fmt: skip
def test_an_address_with_more_to_it_is_left_to_the_client(url: str) -> None:
    assert plain_address(url) is None
