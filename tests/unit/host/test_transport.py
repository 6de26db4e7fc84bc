"""How requests travel, against a server that says exactly what the test wrote."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from hub.host import answers, transport
from hub.host.transport import Transport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each connection with its list of scripted replies, then closes it; keeps what it was sent."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.got: list[bytes] = []
        self.opened = 0
        self._script = connections
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the test is over, or the client went away
            for replies in self._script:
                connection, _ = self._listening.accept()
                self.opened += 1
                with connection:
                    for reply in replies:
                        self.got.append(connection.recv(1 << 16))
                        connection.sendall(reply)

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def serve(*connections: list[bytes]) -> Server:
        made.append(Server(*connections))
        return made[-1]

    yield serve
    for server in made:
        server.close()


@pytest.fixture
def sender() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


def request(url: str, **parts: object) -> httpx.Request:
    timeout = {"connect": 2.0, "read": 0.3, "write": 2.0, "pool": 2.0}
    return httpx.Request("POST", url, extensions={"timeout": timeout}, **parts)  # type: ignore[arg-type]


def test_a_connection_is_used_again(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK, OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 1


def test_a_connection_that_the_server_closed_is_not_used_again(serve: Callable[..., Server], sender: Transport) -> None:
    """A write on it would be lost without an answer, and then nobody knew whether it happened."""
    server = serve([OK], [OK])
    first = sender.handle_request(request(server.url))
    server_side_is_gone = threading.Event()
    server_side_is_gone.wait(0.1)
    assert (first.read(), sender.handle_request(request(server.url)).read()) == (b"ok", b"ok")
    assert server.opened == 2


def test_a_connection_that_rested_long_is_not_used_again(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve([OK], [OK])
    sender.handle_request(request(server.url))
    monkeypatch.setattr(transport, "MAX_IDLE_S", -1.0)
    sender.handle_request(request(server.url))
    assert server.opened == 2


def test_an_answer_that_closes_ends_the_connection(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")], [OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 2


def test_a_request_travels_with_its_headers_and_body(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK])
    sender.handle_request(request(f"{server.url}/v1/orders?a=b%20c", content=b"body", headers={"X-One": "1"}))
    head, _, body = server.got[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert (lines[0], body) == (b"POST /v1/orders?a=b%20c HTTP/1.1", b"body")
    assert {b"X-One: 1", b"Content-Length: 4"} <= set(lines)


def test_a_body_in_pieces_travels_whole(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK])
    sender.handle_request(request(server.url, content=iter([b"bo", b"dy"])))
    head, _, body = server.got[0].partition(b"\r\n\r\n")
    assert body == b"body"
    assert b"Content-Length: 4" in head
    assert b"chunked" not in head


def test_a_header_cannot_smuggle_in_another(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK])
    with pytest.raises(httpx.LocalProtocolError):
        sender.handle_request(request(server.url, headers={"X-One": "1\r\nX-Two: 2"}))
    assert server.got == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Le", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 1\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay0\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", httpx.RemoteProtocolError),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
    ],
)
def test_a_broken_answer_is_no_answer(
    serve: Callable[..., Server], sender: Transport, answer: bytes, error: type[Exception]
) -> None:
    """Half an answer must never be taken for a whole one (law 1)."""
    with pytest.raises(error):
        sender.handle_request(request(serve([answer]).url))


def test_a_word_to_go_on_is_not_the_answer(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([b"HTTP/1.1 100 Continue\r\n\r\n" + OK, OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 1


@pytest.mark.parametrize(("head", "opened"), [(b"", 2), (b"Connection: Keep-Alive\r\n", 1)])
def test_an_older_server_keeps_a_connection_only_where_it_says_so(
    serve: Callable[..., Server], sender: Transport, head: bytes, opened: int
) -> None:
    old = OK.replace(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n" + head)
    server = serve([old, OK], [OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == opened


def test_an_answer_without_a_body_ends_with_its_headers(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([b"HTTP/1.1 204 No Content\r\nX-Long: one\r\n two\r\n\r\n", OK])
    first, second = (sender.handle_request(request(server.url)) for _ in range(2))
    assert (first.read(), first.headers["x-long"], second.read()) == (b"", "one two", b"ok")
    assert server.opened == 1


def test_the_answer_to_a_head_ends_with_its_headers(serve: Callable[..., Server], sender: Transport) -> None:
    asked = httpx.Request("HEAD", serve([OK.removesuffix(b"ok")]).url, extensions={"timeout": {"read": 0.3}})
    assert sender.handle_request(asked).read() == b""


def test_an_answer_in_chunks_and_zipped_is_read(serve: Callable[..., Server], sender: Transport) -> None:
    zipped = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    server = serve([head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(zipped), zipped)])
    assert sender.handle_request(request(server.url)).read() == b"hello"


@pytest.mark.parametrize("head", [b"Content-Length: 11\r\n\r\n", b"Connection: close\r\n\r\n"])
def test_an_answer_too_large_to_be_meant_is_refused(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 10)
    with pytest.raises(httpx.ReadError):
        sender.handle_request(request(serve([b"HTTP/1.1 200 OK\r\n" + head + b"x" * 11]).url))


def test_a_silent_server_is_a_read_timeout(sender: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(httpx.ReadTimeout):
            sender.handle_request(request(url))


def test_a_closed_port_is_a_connect_error_so_nothing_was_sent(sender: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        sender.handle_request(request(f"http://127.0.0.1:{port}"))


def test_a_server_that_does_not_speak_tls_is_a_connect_error(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    with pytest.raises(httpx.ConnectError):
        sender.handle_request(request(server.url.replace("http:", "https:")))
