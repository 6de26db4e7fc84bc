"""A channel that misbehaves on demand: a small HTTP server on loopback in front of any other server or function.

It forwards every call and keeps a journal. ``fail`` makes it refuse, break, drop, cut, delay, repeat, reorder, ignore
filters or echo, so an author needs no simulator for the fault rules of the kit.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import httpx

from hub.testing import _bodies as bodies

RETRY_AFTER_S = 7
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}


class Kind(StrEnum):
    """How a call goes wrong. The kinds of the first group strike before the call takes effect, the others after."""

    PACE = "429"  # refused, with Retry-After
    BROKEN = "500"  # an error in JSON
    AWAY = "503"  # an error page that is not JSON
    DROP = "drop"  # the connection closes without an answer
    ECHO = "echo"  # refused as a bad request, repeating all that was sent
    UNFILTERED = "unfiltered"  # forwarded without whatever names one of ``words``

    LOST_REPLY = "lost_reply"  # the connection closes without an answer
    CUT_BODY = "cut_body"  # half the answer, then the connection closes
    GARBAGE = "garbage"  # success, with a page that is not JSON
    BROKEN_AFTER = "500_after"  # an error in JSON, though it happened
    SLOW = "slow"  # the answer comes after ``seconds``
    REPEATED = "repeated"  # the first row of each list comes again at its end
    REORDERED = "reordered"  # the rows of each list come backwards


_BEFORE = {
    Kind.PACE: (429, "application/json", '{"message": "slow down"}'),
    Kind.BROKEN: (500, "application/json", '{"message": "internal error"}'),
    Kind.AWAY: (503, "text/html", "<html>down for maintenance</html>"),
}
_AFTER = {
    Kind.GARBAGE: (200, "text/html", "<html>please sign in to the network</html>"),
    Kind.BROKEN_AFTER: (500, "application/json", '{"message": "internal error"}'),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it arrived; header names are in lower case, the query is as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers and body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


Answer = Callable[[Request], Reply]
"""A server in one function, which may stand behind the channel in place of another server's URL."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call of the journal; ``status`` is None where no answer was given."""

    method: str
    path: str
    status: int | None
    fault: Kind | None


@dataclass(slots=True)
class _Plan:
    kind: Kind
    first: int
    times: int | None
    match: re.Pattern[str]
    words: tuple[str, ...]
    seconds: float
    met: int = 0

    def strikes(self, path: str) -> bool:
        if not self.match.search(path):
            return False
        self.met += 1
        return self.met >= self.first and (self.times is None or self.met < self.first + self.times)


class Channel:
    """The server. ``upstream`` is another server's URL, or a function that answers."""

    def __init__(self, upstream: str | Answer) -> None:
        self.calls: list[Seen] = []
        self.rows_changed = 0
        self._plan: _Plan | None = None
        self._lock = threading.Lock()
        self._upstream: Answer = upstream if callable(upstream) else _Forward(upstream)
        self._asking, self._asked = 0, threading.Condition()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    def __enter__(self) -> Channel:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if isinstance(self._upstream, _Forward):
            self._upstream.close()

    @property
    def url(self) -> str:
        """Where the channel listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(
        self,
        kind: Kind,
        *,
        first: int = 1,
        times: int | None = None,
        match: str = "",
        words: Sequence[str] = (),
        seconds: float = 1.0,
    ) -> None:
        """Let calls go wrong from now on, instead of what was planned before.

        Args:
            first: the first call to strike, counted from 1 over the calls whose path matches.
            times: how many calls to strike from there on; None for all.
            match: a regular expression that the path must contain.
            words: what an ignored filter would have named; for UNFILTERED.
            seconds: how late an answer comes; for SLOW.
        """
        with self._lock:
            self._plan = _Plan(kind, first, times, re.compile(match), tuple(words), seconds)

    def heal(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._plan = None

    def wait_quiet(self) -> None:
        """Wait until the upstream is done with every call, also those whose caller went away."""
        with self._asked:
            self._asked.wait_for(lambda: self._asking == 0, timeout=30)

    def _answer(self, request: Request) -> Reply:
        with self._asked:
            self._asking += 1
        try:
            return self._upstream(request)
        finally:
            with self._asked:
                self._asking -= 1
                self._asked.notify_all()

    def serve(self, request: Request) -> tuple[Reply | None, bool]:
        """Answer one call as planned; None closes the connection, and the flag cuts the body in the middle."""
        with self._lock:
            plan = self._plan if self._plan is not None and self._plan.strikes(request.path) else None
        kind = None if plan is None else plan.kind
        reply = self._answer(request) if plan is None else self._misbehave(request, plan)
        with self._lock:
            self.calls.append(Seen(request.method, request.path, None if reply is None else reply.status, kind))
        return reply, kind is Kind.CUT_BODY

    def _misbehave(self, request: Request, plan: _Plan) -> Reply | None:
        kind = plan.kind
        if kind is Kind.DROP:
            return None
        if kind is Kind.ECHO:
            return Reply(400, bodies.echo(request.target, request.headers, request.body))
        if kind in _BEFORE:
            return _canned(*_BEFORE[kind])
        if kind is Kind.UNFILTERED:
            query, body = bodies.without(request.query, request.body, plan.words)
            return self._answer(Request(request.method, request.path, query, request.headers, body))
        reply = self._answer(request)
        if kind is Kind.LOST_REPLY:
            return None
        if kind in _AFTER:
            return _canned(*_AFTER[kind])
        if kind is Kind.SLOW:
            time.sleep(plan.seconds)
        if kind in (Kind.REPEATED, Kind.REORDERED):
            body, changed = bodies.with_rows(reply.body, repeat=kind is Kind.REPEATED)
            self.rows_changed += changed
            return Reply(reply.status, body, reply.headers)
        return reply


def _canned(status: int, kind: str, text: str) -> Reply:
    headers = {"content-type": kind} | ({"retry-after": str(RETRY_AFTER_S)} if status == 429 else {})
    return Reply(status, text.encode(), headers)


class _Forward:
    """Hands calls on to another server."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream.rstrip("/")
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes longer than most rules
        self._http = httpx.Client(timeout=30, trust_env=False, verify=unused)

    def __call__(self, request: Request) -> Reply:
        kept = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        answer = self._http.request(
            request.method,
            self._upstream + request.target,
            headers={**kept, "accept-encoding": "identity"},
            content=request.body,
        )
        headers = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
        return Reply(answer.status_code, answer.content, headers)

    def close(self) -> None:
        self._http.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent where a client goes away in the middle of a call."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Write nothing; the journal tells."""

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(headers.get("content-length") or 0))
        reply, is_cut = self.server.channel.serve(Request(self.command, path, query, headers, body))
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        sent = {**reply.headers} | ({} if reply.status == 204 else {"content-length": str(len(reply.body))})
        head = [f"HTTP/1.1 {reply.status} -", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        body = reply.body[: len(reply.body) // 2] if is_cut else reply.body
        self.wfile.write("\r\n".join(head).encode("latin-1") + body)
        if is_cut:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the names the standard library looks for
