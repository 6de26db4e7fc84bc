"""Who listens to webhooks in these tests: a real HTTP server that keeps what comes, and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.plugins.tiktok.tiktok_caller import Caller

Json = dict[str, Any]
WEBHOOKS = "/event/202309/webhooks"
ORDERS, ADDRESSES, PACKAGES = "ORDER_STATUS_CHANGE", "RECIPIENT_ADDRESS_UPDATE", "PACKAGE_UPDATE"


class Receiver:
    """Keeps deliveries by number of try; ``answers`` holds the statuses to come, then 200."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/hook")
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.slow_s = 0.0
        server.expect_request("/hook", method="POST").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, request.get_data()))
        time.sleep(self.slow_s)
        return Response(b"", self.answers.pop(0) if self.answers else 200)

    def notices(self) -> list[Json]:
        """What came so far, read."""
        return [json.loads(body) for _, body in self.got]

    def data(self, topic: int) -> list[Json]:
        """What came of one topic: the part that tells what happened."""
        return [notice["data"] for notice in self.notices() if notice["type"] == topic]

    def subscribe(self, caller: Caller, *words: str) -> None:
        for word in words:
            caller.data("PUT", WEBHOOKS, body={"address": self.url, "event_type": word})


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def settled(caller: Caller, *, waiting: int = 0) -> Json:
    """Wait until nothing is on its way but so many repeats, which are due later; return the report."""

    def is_settled() -> bool:
        report = caller.control("webhooks")
        dues = [each["due"] for each in report["waiting"]]
        return report["pending"] == len(dues) == waiting and None not in dues

    until(is_settled)
    return caller.control("webhooks")


def signed(settings: Iterable[str], body: bytes) -> str:
    """The signature of a delivery, in plain steps."""
    key, secret = settings
    return hmac.new(secret.encode(), key.encode() + body, hashlib.sha256).hexdigest()
