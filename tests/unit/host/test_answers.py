"""One answer of HTTP/1.1, however its bytes are cut on their way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.host import answers
from hub.host.answers import read_answer

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nay!\r\n0\r\nX-After: 1\r\n\r\n"
EMPTY_VALUE = b"HTTP/1.1 200 OK\r\nX-Empty:\r\nX-Next:  1 \r\nContent-Length: 2\r\n\r\nok"
LATER = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"


def pieces(data: bytes, *cuts: int) -> Callable[[int], bytes]:
    """Return what gives out some bytes in pieces, and then that the connection has ended."""
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    parts = iter([data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True) if start < end])
    return lambda _: next(parts, b"")


@pytest.mark.parametrize("data", [CHUNKED, EMPTY_VALUE, LATER])
@given(cuts=st.lists(st.integers(1, 120), max_size=12))
def test_where_an_answer_is_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    whole, cut = (read_answer(pieces(data, *each), "POST") for each in ([], cuts))
    for one in (whole, cut):
        assert one.is_whole
        assert one.reusable
    assert (cut.status, cut.headers, cut.content) == (whole.status, whole.headers, whole.content)


@pytest.mark.parametrize("data", [CHUNKED, EMPTY_VALUE, LATER])
@given(length=st.integers(0, 200))
def test_a_part_of_an_answer_is_no_answer(data: bytes, length: int) -> None:
    """Law 1: what was sent may have happened, and half an answer does not say so."""
    if length < len(data):
        with pytest.raises(httpx.RemoteProtocolError):
            read_answer(pieces(data[:length]), "POST")


def test_headers_have_their_values_without_blanks_even_where_there_is_none() -> None:
    answer = read_answer(pieces(EMPTY_VALUE), "POST")
    assert answer.headers == [(b"X-Empty", b""), (b"X-Next", b"1"), (b"Content-Length", b"2")]


def test_what_only_says_go_on_leaves_nothing_behind() -> None:
    answer = read_answer(pieces(LATER), "POST")
    assert (answer.status, answer.headers, answer.content) == (201, [(b"Content-Length", b"2")], b"ok")


def test_trailers_are_no_headers() -> None:
    assert dict(read_answer(pieces(CHUNKED), "POST").headers) == {b"Transfer-Encoding": b"chunked"}


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_connection_that_says_more_than_was_asked_is_not_used_again(method: str) -> None:
    """The next answer on it would be taken for that of another request."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    answer = read_answer(pieces(head + (b"ok" + head if method == "POST" else b"ok")), method)
    assert (answer.content, answer.reusable) == (b"ok" if method == "POST" else b"", False)


def test_an_answer_that_ends_with_its_connection_is_whole_there() -> None:
    answer = read_answer(pieces(b"HTTP/1.1 200 OK\r\n\r\nall of it"), "POST")
    assert (answer.content, answer.reusable) == (b"all of it", False)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200, b"HTTP/1.1 200 OK\r\n" + b"X-One: 1\r\n" * 20]
)
def test_headers_without_end_are_refused(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(answers, "MAX_HEAD_BYTES", 100)
    with pytest.raises(httpx.ReadError):
        read_answer(pieces(head, *range(10, 200, 10)), "POST")


def test_a_body_that_grows_beyond_what_can_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 4)
    with pytest.raises(httpx.ReadError):
        read_answer(pieces(CHUNKED), "POST")


@given(noise=st.binary(max_size=200))
def test_noise_is_an_error_of_httpx_and_no_other(noise: bytes) -> None:
    with contextlib.suppress(httpx.TransportError):
        read_answer(pieces(noise, 7, 50), "POST")
