"""The address on this machine that a page of consent leads back to, and what its answer says."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub.contract import AuthorizationError, ConfigurationError

HOST, PATH = "127.0.0.1", "/callback"
STALL_S = 10.0  # a browser that opens a connection and says nothing
_NO_CODE = ("", "null")
_THANKS = "The hub has the answer. You may close this page; the terminal tells what became of it."
_STRANGE = "This is not the answer the hub waits for. Begin again from the terminal."
_PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>channel-hub</title><p>{}</p></html>'


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page of consent led back with; never shown, since the code is a secret for as long as it lives."""

    code: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    error: str | None = None


def new_state() -> str:
    """Return a text that only we and the page of consent know, so that no other page can answer in its place."""
    return secrets.token_urlsafe(32)


def read_answer(address: str) -> Answer | None:
    """Return what an address carries; None where it carries neither a code nor an error."""
    try:
        query = parse_qs(urlsplit(address.strip()).query, keep_blank_values=True)
    except ValueError:
        return None
    if not query.keys() & {"code", "error"}:
        return None
    code, state, error = (query.get(name, [None])[0] for name in ("code", "state", "error"))
    return Answer(code, state, error)


def accepted_code(answer: Answer, state: str, *, where: str, cause: str, stateless: Callable[[], bool]) -> str:
    """Return the code of an answer to our own question.

    Args:
        cause: what is likely to be behind a refusal.
        stateless: asks whether an answer without any state may be taken.

    Raises:
        AuthorizationError: the consent was refused, or the answer is not to our question.
    """
    if answer.state is not None and not hmac.compare_digest(
        answer.state.encode("utf-8", "surrogatepass"), state.encode()
    ):
        what = "an answer came that does not belong to this consent (its state is another)"
        do = "Begin again, and use the page that this very command prints; an older page does not count."
        raise AuthorizationError("state-wrong", what, where=where, do=do)
    if answer.error is not None or answer.code is None or answer.code in _NO_CODE:
        what = f"the consent was refused ({_word(answer.error)})"
        raise AuthorizationError("consent-refused", what, where=where, do=cause)
    if answer.state is None and not stateless():
        what = "an answer came without a state, so it may not be the answer to this consent"
        do = "Begin again from the page that this command prints. Where the app was installed from an app store: "
        do += "hub connect ID --accept-app-store"
        raise AuthorizationError("state-wrong", what, where=where, do=do)
    return answer.code


def _word(error: str | None) -> str:
    """Return an error's own word, if it is one; an address may carry anything."""
    is_word = error is not None and error.replace("_", "").replace("-", "").isalnum() and error.isascii()
    return error[:60] if error is not None and is_word else "no code came"


class Answers:
    """Where the one answer of a page of consent arrives, whichever way it comes."""

    def __init__(self) -> None:
        self._queue: Queue[Answer | None] = Queue()

    def give(self, answer: Answer | None) -> None:
        """Hand in an answer; None: none can come any more."""
        self._queue.put(answer)

    def wait(self, seconds: float) -> Answer | None:
        """Return the first answer; None where none came in time, or none can come."""
        try:
            return self._queue.get(timeout=seconds)
        except Empty:
            return None


class Callback:
    """Takes answers on loopback while it is open.

    Raises: ConfigurationError where the port is taken.
    """

    def __init__(self, port: int, answers: Answers) -> None:
        try:
            self._server = _Server((HOST, port), answers)
        except OSError as error:
            what = f"port {port} of this machine cannot be used ({error.strerror or type(error).__name__})"
            do = "Choose another with --port, and enter the address with that port where the app's redirect is set."
            raise ConfigurationError("port-taken", what, where=f"{HOST}:{port}", do=do) from error
        self.url = callback_url(self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def __enter__(self) -> Callback:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def callback_url(port: int) -> str:
    """Return the address of this machine that a page of consent leads back to."""
    return f"http://{HOST}:{port}{PATH}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], answers: Answers) -> None:
        self.answers = answers
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a traceback could show the address, and the address holds the code."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = STALL_S
    server_version, sys_version = "channel-hub", ""

    def do_GET(self) -> None:  # the name that http.server calls
        """Take an answer; anything else is not found."""
        host = self.headers.get("Host", "")
        is_ours = host in (f"{HOST}:{self.server.server_port}", f"localhost:{self.server.server_port}")
        answer = read_answer(self.path) if is_ours and urlsplit(self.path).path == PATH else None
        if answer is not None:
            self.server.answers.give(answer)
        body = _PAGE.format(_STRANGE if answer is None else _THANKS).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name in the base class
        """Log nothing: the address holds the code."""
