"""A subscriber of webhooks: a real server that keeps what is delivered to it, and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Got:
    """One delivery as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def signature(self) -> str:
        return self.headers["x-sha2-signature"]


@dataclass
class Subscriber:
    """Answers 200 until ``answer`` says otherwise, and waits for ``gate``."""

    url: str
    answer: int = 200
    got: list[Got] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def hear(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(headers, request.get_data()))
        self.gate.wait(30)
        return Response(status=self.answer)

    def actions(self) -> list[str]:
        return sorted(each.json["action"] for each in self.got)


def subscriber_on(server: HTTPServer) -> Subscriber:
    """A subscriber at an address that nobody had before; the server must be a threaded one."""
    path = f"/{next(_NUMBERS)}/webhooks/katana-main"
    made = Subscriber(server.url_for(path))
    made.gate.set()
    server.expect_request(path, method="POST").respond_with_handler(made.hear)
    return made


def signed(token: str, body: bytes) -> str:
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def until(holds: Callable[[], object], what: str = "it", seconds: float = 20) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.005)
