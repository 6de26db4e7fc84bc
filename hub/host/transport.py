"""How requests travel: plain HTTP/1.1, one call after another on a connection, behind the transport interface of httpx.

httpx's own transport takes twice the CPU for a call; decision 0009 has the figures.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

import httpx

from hub.host.answers import read_answer

LATE_S = 0.5  # an answer that is read later may have been there for as long
MAX_IDLE_S = 5.0  # a connection that rests longer may be cut by the other side just as it is used again
PORTS = {"http": 80, "https": 443}
DEPARTURE = "hub.departure"  # in a request's extensions: its Departure
_AT_ONCE = struct.pack("ii", 1, 0)
_UNHEARD: int = getattr(socket, "TCP_USER_TIMEOUT", 0)  # where the system has it

_Origin = tuple[str, str, int]


@dataclass(slots=True)
class Departure:
    """What is asked when everything is ready but the request has not left; it raises where it must not leave any more.

    Attributes:
        window_s: from its answer until the last byte had been handed over; None: nothing left.
    """

    check: Callable[[], None]
    window_s: float | None = None


@cache
def _ssl_context() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Transport(httpx.BaseTransport):
    """Sends requests over kept connections and reads whole answers, refusing those too large to be meant.

    Raises: the errors of httpx. After ConnectError and ConnectTimeout nothing was sent; after others it may have been.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resting: dict[_Origin, list[tuple[socket.socket, float]]] = {}  # the longest at rest first
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, read to its end."""
        return self.begin(request).answer()

    def begin(self, request: httpx.Request) -> Sent:
        """Send one request; its answer is to be read, or it is to be given up."""
        url, timeouts = request.url, request.extensions.get("timeout", {})
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])
        message = _message(request)
        sock = self._kept(origin) or _connected(origin, timeouts.get("connect"))
        try:
            _depart(sock, message, timeouts.get("write"), request.extensions.get(DEPARTURE))
        except BaseException:
            _give_up(sock)
            raise
        return Sent(self, request, origin, sock)

    def close(self) -> None:
        """Close the connections that rest, and each that still works when its answer is there."""
        with self._lock:
            self._is_closed = True
            resting = [sock for kept in self._resting.values() for sock, _ in kept]
            self._resting.clear()
        for sock in resting:
            sock.close()

    def keep(self, origin: _Origin, sock: socket.socket, since: float) -> None:
        """Let a connection rest until it is used again; ``since`` its last answer, on the monotonic clock."""
        now, over = time.monotonic(), list[socket.socket]()
        with self._lock:
            for kept in self._resting.values():
                while kept and now - kept[0][1] > MAX_IDLE_S:
                    over.append(kept.pop(0)[0])
            if self._is_closed:
                over.append(sock)
            else:
                self._resting.setdefault(origin, []).append((sock, since))
        for each in over:
            each.close()

    def _kept(self, origin: _Origin) -> socket.socket | None:
        """Return a resting connection that still lives, the one used last before others; None where there is none."""
        while True:
            with self._lock:
                kept = self._resting.get(origin)
                if not kept:
                    return None
                sock, since = kept.pop()
            if time.monotonic() - since <= MAX_IDLE_S and not _has_news(sock):
                return sock
            sock.close()


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that has left, on a connection of its own until its answer is there."""

    _transport: Transport
    _request: httpx.Request
    _origin: _Origin
    _sock: socket.socket
    _left_at: float = field(default_factory=time.monotonic)

    def answer(self) -> httpx.Response:
        """Return its answer, read to its end; its time-out began when it had left."""
        timeout_s = self._request.extensions.get("timeout", {}).get("read")
        waited_s = time.monotonic() - self._left_at
        is_late = waited_s > LATE_S  # what has come in meanwhile is there to be read
        if is_late and timeout_s is not None:
            timeout_s = max(LATE_S, timeout_s - waited_s)
        try:
            response, is_reusable = _receive(self._sock, self._request, timeout_s)
        except BaseException:
            self.give_up()
            raise
        if is_reusable:
            self._transport.keep(self._origin, self._sock, self._left_at if is_late else time.monotonic())
        else:
            self._sock.close()
        return response

    def give_up(self) -> None:
        """Wait for no answer any more."""
        _give_up(self._sock)


def _has_news(sock: socket.socket) -> bool:
    """Say whether something came in on a resting connection, which can only be its end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _connected(origin: _Origin, timeout_s: float | None) -> socket.socket:
    scheme, host, port = origin
    try:
        sock = socket.create_connection((host, port), timeout_s)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme != "https":
                return sock
            return _ssl_context().wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (OSError, UnicodeError) as error:  # a name that no name server could know is not encoded
        raise httpx.ConnectError(str(error)) from error


def _give_up(sock: socket.socket) -> None:
    """Close a connection so that the system delivers nothing more of what was handed over to it.

    Otherwise it goes on for minutes, and a write would arrive after the hub has looked for it in vain: law 1.
    """
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    sock.close()


def _message(request: httpx.Request) -> bytes:
    """Return a request as it travels, in one piece."""
    body = request.read()
    given = request.headers.raw
    headers = [pair for pair in given if pair[0].lower() != b"transfer-encoding"]
    if len(headers) < len(given):  # the body was to come in pieces; here it is whole
        headers.append((b"Content-Length", b"%d" % len(body)))
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % pair for pair in headers]
    head = b"\r\n".join(lines)
    if head.count(b"\n") >= len(lines) or head.count(b"\r") >= len(lines):
        raise httpx.LocalProtocolError("a header holds a line break")
    return head + b"\r\n\r\n" + body


def _depart(sock: socket.socket, message: bytes, timeout_s: float | None, departure: Departure | None) -> None:
    if departure is None:
        _send(sock, message, timeout_s)
        return
    departure.window_s = None
    departure.check()
    began = time.perf_counter()
    _send(sock, message, timeout_s)
    departure.window_s = time.perf_counter() - began


def _allow(sock: socket.socket, timeout_s: float | None) -> None:
    """Set a time-out where it is another: each setting is a system call, for which a thread gives way."""
    if sock.gettimeout() != timeout_s:
        sock.settimeout(timeout_s)


def _send(sock: socket.socket, message: bytes, timeout_s: float | None) -> None:
    try:
        _allow(sock, timeout_s)
        if _UNHEARD and timeout_s is not None:
            # The same where this process is killed: what is not acknowledged by then is not delivered later.
            sock.setsockopt(socket.IPPROTO_TCP, _UNHEARD, round(1000 * timeout_s))
        sock.sendall(message)
    except TimeoutError as error:
        raise httpx.WriteTimeout(str(error)) from error
    except OSError as error:
        raise httpx.WriteError(str(error)) from error


def _receive(sock: socket.socket, request: httpx.Request, timeout_s: float | None) -> tuple[httpx.Response, bool]:
    """Return the answer, whole within the time, and whether its connection may serve another request."""
    end = None if timeout_s is None else time.monotonic() + timeout_s
    is_begun = False

    def receive(most: int) -> bytes:
        nonlocal is_begun
        if is_begun and end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer takes too long as a whole")
            sock.settimeout(left)
        is_begun = True
        return sock.recv(most)

    try:
        _allow(sock, timeout_s)
        answer = read_answer(receive, request.method)
        headers, body = answer.unpacked()
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ReadError(type(error).__name__) from error
    stream = httpx.ByteStream(body)
    return httpx.Response(answer.status, headers=headers, stream=stream, request=request), answer.reusable
