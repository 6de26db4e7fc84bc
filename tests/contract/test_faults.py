"""The misbehaving channel does to calls what it says, in front of a server or of a function."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from pytest_httpserver import HTTPServer

from hub.testing import Channel, Kind, Reply, Request

ROWS = b'{"total": 12.50, "page": {"rows": [{"id": 1, "price": 9.90}, {"id": 2}, {"id": 3}]}}'


class Upstream:
    """A server in a function that remembers what reached it."""

    def __init__(self) -> None:
        self.got: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.got.append(request)
        return Reply(200, ROWS)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def channel(upstream: Upstream) -> Iterator[Channel]:
    with Channel(upstream) as made:
        yield made


def get(channel: Channel, path: str = "/rows", **options: object) -> httpx.Response:
    return httpx.get(channel.url + path, trust_env=False, verify=False, **options)  # type: ignore[arg-type]  # test data


@pytest.mark.parametrize(
    ("kind", "status", "is_json", "arrives"),
    [
        (Kind.PACE, 429, True, False),
        (Kind.BROKEN, 500, True, False),
        (Kind.AWAY, 503, False, False),
        (Kind.ECHO, 400, True, False),
        (Kind.GARBAGE, 200, False, True),
        (Kind.BROKEN_AFTER, 500, True, True),
    ],
)
def test_a_fault_with_an_answer(
    channel: Channel, upstream: Upstream, kind: Kind, status: int, is_json: bool, arrives: bool
) -> None:
    channel.fail(kind)
    answer = get(channel)
    assert answer.status_code == status
    assert answer.text.startswith("{") is is_json
    assert bool(upstream.got) is arrives
    assert channel.calls[0].fault is kind


@pytest.mark.parametrize(("kind", "arrives"), [(Kind.DROP, False), (Kind.LOST_REPLY, True), (Kind.CUT_BODY, True)])
def test_a_fault_without_a_whole_answer(channel: Channel, upstream: Upstream, kind: Kind, arrives: bool) -> None:
    channel.fail(kind)
    with pytest.raises(httpx.RemoteProtocolError):
        get(channel)
    assert bool(upstream.got) is arrives


def test_a_429_says_how_long_to_wait(channel: Channel) -> None:
    channel.fail(Kind.PACE)
    assert get(channel).headers["retry-after"] == "7"


def test_a_slow_answer_comes_after_the_deed(channel: Channel, upstream: Upstream) -> None:
    channel.fail(Kind.SLOW, seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        get(channel, timeout=0.1)
    assert upstream.got


def test_a_repeated_row_keeps_the_digits_of_its_numbers(channel: Channel) -> None:
    channel.fail(Kind.REPEATED)
    text = get(channel).text
    assert [row["id"] for row in json.loads(text)["page"]["rows"]] == [1, 2, 3, 1]
    assert "12.50" in text
    assert text.count("9.90") == 2


def test_reordered_rows_come_backwards(channel: Channel) -> None:
    channel.fail(Kind.REORDERED)
    assert [row["id"] for row in get(channel).json()["page"]["rows"]] == [3, 2, 1]
    assert channel.rows_changed == 1


def test_an_ignored_filter_leaves_the_rest_of_the_query(channel: Channel, upstream: Upstream) -> None:
    channel.fail(Kind.UNFILTERED, words=["MUG"])
    body = {"filter": {"sku": {"inq": ["MUG"]}}, "limit": 5}
    httpx.post(f"{channel.url}/search?sku=MUG&page=2", json=body, trust_env=False, verify=False)
    assert upstream.got[0].query == "page=2"
    assert json.loads(upstream.got[0].body) == {"limit": 5}


def test_an_echo_repeats_headers_query_and_body(channel: Channel) -> None:
    channel.fail(Kind.ECHO)
    said = httpx.post(
        f"{channel.url}/x?sign=abc",
        content=b"a body",
        headers={"authorization": "Bearer k"},
        verify=False,
        trust_env=False,
    ).text
    assert all(word in said for word in ("sign=abc", "a body", "Bearer k"))


def test_faults_strike_the_calls_that_were_planned(channel: Channel) -> None:
    channel.fail(Kind.BROKEN, first=2, times=2, match="^/rows")
    paths = ["/rows", "/other", "/rows", "/other", "/rows", "/rows"]
    assert [get(channel, path).status_code for path in paths] == [200, 200, 500, 200, 500, 200]
    channel.fail(Kind.BROKEN)
    channel.heal()
    assert get(channel).status_code == 200


def test_calls_are_forwarded_whole_to_another_server(httpserver: HTTPServer) -> None:
    httpserver.expect_request(
        "/rows", method="POST", query_string="a=1", data=b"body", headers={"x-key": "k"}
    ).respond_with_data("made", status=201, headers={"x-left": "9"})
    with Channel(f"http://127.0.0.1:{httpserver.port}") as channel:
        answer = httpx.post(
            f"{channel.url}/rows?a=1", content=b"body", headers={"x-key": "k"}, verify=False, trust_env=False
        )
    assert (answer.status_code, answer.text, answer.headers["x-left"]) == (201, "made", "9")
